"""A template as it is with every parameter at its default: no `!Ref` to a parameter and no `!If` is left."""

from collections.abc import Mapping
from dataclasses import dataclass

from local_runtime.errors import RunError
from local_runtime.stack.intrinsic import Intrinsic, Properties, Value, mapping_at

_NO_VALUE = Intrinsic("Ref", "AWS::NoValue")


def at_defaults(content: Properties) -> Properties:
    """Raises RunError for a condition that is made of anything but parameters, `!Equals` and `!Not`."""
    parameters = {name: body["Default"] for name, body in _bodies(content, "Parameters") if "Default" in body}
    choice = _Choice(parameters, mapping_at(content, "Conditions"))
    return {name: choice.made_in(part) for name, part in content.items() if name not in {"Parameters", "Conditions"}}


def _bodies(content: Properties, part: str) -> list[tuple[str, Properties]]:
    return [(name, body) for name, body in mapping_at(content, part).items() if isinstance(body, dict)]


@dataclass(frozen=True)
class _Choice:
    parameters: Mapping[str, Value]
    conditions: Properties

    def made_in(self, value: Value) -> Value:
        """The value with parameters and branches replaced; what has no value is left out of its mapping."""
        match value:
            case Intrinsic("Ref", str(name)) if name in self.parameters:
                return self.parameters[name]
            case Intrinsic("If", [str(condition), then, otherwise]):
                return self.made_in(then if self._holds(condition) else otherwise)
            case Intrinsic(function, argument):
                return Intrinsic(function, self.made_in(argument))
            case dict():
                made = {name: self.made_in(each) for name, each in value.items()}
                return {name: each for name, each in made.items() if each != _NO_VALUE}
            case list():
                return [self.made_in(each) for each in value]
            case _:
                return value

    def _holds(self, condition: str) -> bool:
        if condition not in self.conditions:
            raise RunError(f"the template asks for the condition {condition}, which it does not have")
        return self._is_true(self.conditions[condition], condition)

    def _is_true(self, test: Value, condition: str) -> bool:
        match test:
            case Intrinsic("Equals", [one, other]):
                return str(self.made_in(one)) == str(self.made_in(other))  # CloudFormation compares texts
            case Intrinsic("Not", [inner]):
                return not self._is_true(inner, condition)
            case _:
                raise RunError(f"the template's condition {condition} is not one that the local runtime can test")
