"""A property that is found when it is first asked for, and then kept.

Before Python 3.12 `functools.cached_property` holds a lock meanwhile, which all instances share:
threads wait for one another, and a process that forks at such a moment leaves its child a lock
that nobody ever lets go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

_T = TypeVar("_T")


class lazy(Generic[_T]):  # noqa: N801 - used as `property` is
    """Decorates a method without arguments. Threads that ask at once find it twice, and keep one.

    >>> class Circle:
    ...     @lazy
    ...     def area(self):
    ...         print("once")
    ...         return 3.14
    >>> circle = Circle()
    >>> circle.area, circle.area
    once
    (3.14, 3.14)

    """

    def __init__(self, find: Callable[[Any], _T]) -> None:
        self._find = find
        self.__doc__ = find.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...

    @overload
    def __get__(self, instance: object, owner: type) -> _T: ...

    def __get__(self, instance: object | None, owner: type) -> Self | _T:
        """What was found, or is found now."""
        if instance is None:
            return self
        found: _T = vars(instance).setdefault(self._name, self._find(instance))
        return found
