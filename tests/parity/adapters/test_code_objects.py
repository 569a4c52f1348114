"""What stands in compiled code, in the functions inside it and in its tuples and sets too."""

from __future__ import annotations

from parity.adapters.code_objects import (
    attributes_read,
    attributes_written,
    codes_of,
    constants_in,
    defined_in,
)


class Base:
    rate = 0.5

    def step(self):
        self.first = "of the base"

    def shared(self):
        return "hidden by the class below"


class Layer(Base):
    @property
    def size(self):
        return self.kept

    @staticmethod
    def named(key):
        return key in {"W", "b"}

    def shared(self):
        def inner(other):
            return other.deep, "inside", (0.25, ("nested",))

        return inner


def test_constants_are_found_in_functions_within_and_in_tuples_and_sets():
    assert {"W", "b", "inside", 0.25, "nested", "of the base"} <= {*constants_in(codes_of(Layer))}


def test_what_a_class_overrides_does_not_count():
    assert "hidden by the class below" not in {*constants_in(codes_of(Layer))}
    assert defined_in(Layer)["shared"] is Layer.shared
    assert defined_in(Layer)["rate"] == 0.5


def test_attributes_that_are_read_are_told_from_those_that_are_set():
    codes = codes_of(Layer)
    assert set().union(*map(attributes_read, codes)) >= {"kept", "deep"}
    assert set().union(*map(attributes_written, codes)) == {"first"}


def test_the_code_of_a_function_is_its_own_alone():
    assert codes_of(Base.step) == [Base.step.__code__]
    assert codes_of(len) == []
