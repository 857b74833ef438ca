"""Errors: each says what, where and how to mend it, and comes home whole from another process."""

from __future__ import annotations

import inspect
import pickle

import pytest

from pbr_lib import errors
from pbr_lib.errors import (
    InputError,
    PackError,
    ParamsError,
    PbrError,
    SourceError,
    UnknownPartner,
    did_you_mean,
    parted,
)

CLASSES = [cls for _, cls in inspect.getmembers(errors, inspect.isclass) if issubclass(cls, PbrError)]


def example(cls: type[PbrError]) -> PbrError:
    """One error of each class, with every attribute set."""
    if cls is ParamsError:
        return ParamsError([InputError("a", "params/a.yaml, line 3", "b"), SourceError("c", "d", "e")])
    if cls is PackError:
        return PackError("what", "notebook, cell 4", "fix", partner="P-001")
    return cls("what", "where, row 3", "fix")


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_every_error_pickles_with_its_attributes(cls: type[PbrError]) -> None:
    """An error that crosses a process boundary keeps its class, its text and all of its attributes."""
    error = example(cls)
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is cls
    assert again == error
    assert hash(again) == hash(error)
    assert vars(again) == vars(error)
    assert str(again) == str(error)


def test_every_class_is_listed_and_drawn() -> None:
    """Every error class is public and stands in the tree at the top of the module."""
    assert {cls.__name__ for cls in CLASSES} <= set(errors.__all__)
    assert all(cls.__name__ in str(errors.__doc__) for cls in CLASSES)


@pytest.mark.parametrize("cls", [UnknownPartner, errors.UnknownQuarter, SourceError, ParamsError])
def test_what_the_user_gave_us_is_an_input_error(cls: type[PbrError]) -> None:
    """Whatever the user can mend is an InputError, so that the command line exits with 2."""
    assert issubclass(cls, InputError)


def test_the_text_holds_place_what_and_remedy() -> None:
    """An error prints its place, what is wrong, and on a line of its own what to do."""
    assert str(InputError("it is wrong", "a.yaml, line 3", "mend it")) == "a.yaml, line 3: it is wrong\n  → mend it"
    assert str(InputError("it is wrong")) == "it is wrong"


def test_params_error_prints_every_fault() -> None:
    """Many faults are printed one below the other, in the order in which they were given."""
    faults = [InputError("one", "a", "x"), InputError("two", "b", "y")]
    error = ParamsError(faults)
    assert error.errors == tuple(faults)
    assert str(error) == f"{faults[0]}\n{faults[1]}"
    assert error.what == "2 faults in params"
    assert ParamsError(faults[:1]).what == "1 fault in params"


def test_errors_differ_when_anything_differs() -> None:
    """Two errors are equal only when class, text, place and remedy are."""
    one = InputError("a", "b", "c")
    assert one == InputError("a", "b", "c")
    assert one != InputError("a", "b", "d")
    assert one != SourceError("a", "b", "c")
    assert one != "a"


def test_did_you_mean_offers_the_nearest_or_lists_what_is_known() -> None:
    """A slip of the pen gets the word that was meant, anything else a short list."""
    assert did_you_mean("agregate", ["aggregate", "of"]) == 'did you mean "aggregate"?'
    assert did_you_mean("xyz", ["aggregate", "of"]) == "known: aggregate, of"
    assert did_you_mean("xyz", []) == "nothing is known here yet"
    assert did_you_mean("xyz", [f"n{i}" for i in range(20)], most=3) == "known: n0, n1, n2 and 17 more"


def test_parted_splits_at_the_last_semicolon() -> None:
    """The remedy of a ValueError is what follows its last semicolon, whatever the user's text holds."""
    assert parted(ValueError("this is wrong; mend it")) == ("this is wrong", "mend it")
    assert parted(ValueError('"a; b" is wrong; mend it')) == ('"a; b" is wrong', "mend it")
    assert parted(ValueError("this is wrong"))[0] == "this is wrong"
    assert parted(ValueError("this is wrong"))[1]
