"""Refuse what cannot be right, in a sentence that says what was wrong and what would be right."""


def check_count(name, value, otherwise):
    """Raise ValueError, naming the argument, unless it is a whole number from 1 on."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(
            f"{name} is {value!r}; it must be a whole number of examples, 1 or more ({otherwise})"
        )


def check_finite(name, values):
    if not values.is_meta and not values.isfinite().all():
        raise ValueError(
            f"{name} has values that are not finite; if the training diverged, try a smaller lr"
        )


def alike(**lists):
    """Go through lists of tensors side by side, as `zip` does, but raise ValueError, naming the list, where one does
    not fit the first in number or shape.
    """
    names, (first, *others) = list(lists), map(list, lists.values())
    for name, other in zip(names[1:], others, strict=True):
        shapes = [[tuple(t.shape) for t in tensors] for tensors in (first, other)]
        if shapes[0] != shapes[1]:
            raise ValueError(
                f"{name} must hold tensors of the shapes of {names[0]}, {shapes[0]}, not {shapes[1]}"
            )
    return zip(first, *others, strict=True)
