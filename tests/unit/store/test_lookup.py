"""Finding many objects in one listing: exact, and given up when too many others lie between."""

from hypothesis import given
from hypothesis import strategies as st

from weir_store.objects.base import ObjectStat
from weir_store.objects.lookup import listing_begins, pick

keys = st.sets(st.text("0123456789abcdef", min_size=3, max_size=5).map("p/blobs/{}".format))


def stats(names):
    return [ObjectStat(name, 1, "", 0) for name in sorted(names)]


@given(wanted=keys, there=keys)
def test_what_is_there_is_found_and_nothing_else(wanted, there):
    found, answered = pick(sorted(wanted), stats(there))
    assert found.keys() == wanted & there
    assert answered == len(wanted)


@given(wanted=keys.filter(bool))
def test_the_listing_begins_before_the_first_key_and_holds_the_last(wanted):
    ordered = sorted(wanted)
    prefix, after = listing_begins(ordered)
    assert after < ordered[0]
    assert all(key.startswith(prefix) for key in ordered)
    assert prefix == "" or prefix.endswith("/")


def test_a_listing_that_costs_more_than_asking_is_left_after_a_page():
    taken = []

    def many():
        for each in stats(f"p/blobs/{n:06d}" for n in range(100_000)):
            taken.append(each)
            yield each

    wanted = [f"p/blobs/{n:06d}" for n in (7, 900, 99_000)]
    found, answered = pick(wanted, many())
    assert list(found) == wanted[:2]
    assert answered == 2
    assert len(taken) == 1_000
