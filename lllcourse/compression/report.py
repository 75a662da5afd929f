"""What a method of compression changed: each leaves it on the network that it returns, as `.report`."""

from dataclasses import dataclass

from .. import checks


@dataclass(frozen=True)
class Report:
    """what: "weights" or "units". layers: from the name of each layer to how many it had, and how many are left."""

    what: str
    layers: dict

    @property
    def before(self):
        return sum(had for had, _ in self.layers.values())

    @property
    def after(self):
        return sum(left for _, left in self.layers.values())

    def __str__(self):
        lines = [f"{self.what}: {self.after:,} of {self.before:,} left"]
        lines += [
            f"  {name}: {left:,} of {had:,}"
            for name, (had, left) in self.layers.items()
        ]
        return "\n".join(lines)


def reported(model, report):
    """The network with its report; ValueError where the report says that nothing has changed."""
    checks.require(
        report.after < report.before,
        f"nothing was removed: all {report.before:,} {report.what} are still there; ask for fewer",
    )
    model.report = report
    return model
