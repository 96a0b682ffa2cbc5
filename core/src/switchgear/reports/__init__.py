"""What ledgers say, made readable: sums by group and period, comparisons, exports, pictures. All of it only reads."""
