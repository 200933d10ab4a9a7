"""template.yaml as typed values: every parameter at its default, and references resolved to names on this machine."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import yaml

from local_runtime.environment import REGION
from local_runtime.errors import RunError

ACCOUNT = "000000000000"
STACK = "local"
_NAME_PROPERTIES = {
    "AWS::Kinesis::Stream": "Name",
    "AWS::S3::Bucket": "BucketName",
    "AWS::DynamoDB::Table": "TableName",
    "AWS::SQS::Queue": "QueueName",
    "AWS::SNS::Topic": "TopicName",
}
_ARNS = {
    "AWS::Kinesis::Stream": f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/",
    "AWS::S3::Bucket": "arn:aws:s3:::",
    "AWS::DynamoDB::Table": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/",
    "AWS::SQS::Queue": f"arn:aws:sqs:{REGION}:{ACCOUNT}:",
    "AWS::SNS::Topic": f"arn:aws:sns:{REGION}:{ACCOUNT}:",
}
_QUEUE_URL = f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/"  # the engine reads the name at its end
_PSEUDO_PARAMETERS = {
    "AWS::Region": REGION,
    "AWS::AccountId": ACCOUNT,
    "AWS::StackName": STACK,
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
}
_REFERENCE = re.compile(r"\$\{([^!}][^}]*)\}")


@dataclass(frozen=True)
class Intrinsic:
    """One of CloudFormation's short tags: `!Ref Stream` is Intrinsic("Ref", "Stream")."""

    function: str
    argument: "Value"


Value: TypeAlias = "str | int | float | bool | Intrinsic | list[Value] | Properties | None"
Properties: TypeAlias = dict[str, "Value"]

_NO_VALUE = Intrinsic("Ref", "AWS::NoValue")


@dataclass(frozen=True)
class Resource:
    name: str
    type: str
    properties: Properties


@dataclass(frozen=True)
class Template:
    resources: Mapping[str, Resource]
    globals: Properties

    def of_type(self, kind: str) -> list[Resource]:
        return [resource for resource in self.resources.values() if resource.type == kind]


def read_template(path: Path) -> Template:
    """Raises RunError where the file is missing, is no YAML, has no resources or a condition that we cannot test."""
    try:
        content: Value = yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506 - a SafeLoader with our tags
    except OSError as error:
        raise RunError(f"the template {path} cannot be read: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise RunError(f"the template {path} is not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict) or not isinstance(content.get("Resources"), dict):
        raise RunError(f"the template {path} has no Resources")
    chosen = at_defaults(content)
    return Template(
        resources={name: _resource(name, body) for name, body in mapping_at(chosen, "Resources").items()},
        globals=mapping_at(chosen, "Globals"),
    )


def mapping_at(properties: Properties, *names: str) -> Properties:
    """The mapping under these names, one inside the other; empty where there is none."""
    for name in names:
        inner = properties.get(name)
        properties = inner if isinstance(inner, dict) else {}
    return properties


def at_defaults(content: Properties) -> Properties:
    """The template with every parameter at its default: without `!If` and without `!Ref` to a parameter.

    Raises RunError for a condition that is made of anything but parameters, `!Equals`, `!Not`, `!Or` and
    `!Condition`.
    """
    parameters = mapping_at(content, "Parameters").items()
    defaults = {name: body["Default"] for name, body in parameters if isinstance(body, dict) and "Default" in body}
    choice = _Choice(defaults, mapping_at(content, "Conditions"))
    return {name: choice.apply(part) for name, part in content.items() if name not in {"Parameters", "Conditions"}}


@dataclass(frozen=True)
class PhysicalNames:
    """The resources' names on this machine: `!Ref` gives `names[logical id]`, `!GetAtt ….Arn` `arns[logical id]`.

    Of a queue `!Ref` gives the URL and of a topic the ARN: `references[logical id]`.
    """

    names: Mapping[str, str]
    arns: Mapping[str, str]
    references: Mapping[str, str] = field(default_factory=dict)

    def resolve(self, value: Value) -> Value:
        """The value with every intrinsic replaced. Raises RunError for one that has no value on this machine."""
        match value:
            case Intrinsic():
                return self._resolve_intrinsic(value)
            case dict():
                return self.resolve_all(value)
            case list():
                return [self.resolve(each) for each in value]
            case _:
                return value

    def resolve_all(self, properties: Properties) -> Properties:
        return {name: self.resolve(value) for name, value in properties.items()}

    def _resolve_intrinsic(self, intrinsic: Intrinsic) -> str:
        match intrinsic:
            case Intrinsic("Ref", str(name)):
                return self._reference(name)
            case Intrinsic("GetAtt", str(path)):
                return self._attribute(path)
            case Intrinsic("Sub", str(text)):
                return _REFERENCE.sub(lambda found: self._substitute(found[1]), text).replace("${!", "${")
            case _:
                raise RunError(f"the template uses !{intrinsic.function}, which the local runtime cannot resolve")

    def _substitute(self, name: str) -> str:
        return self._attribute(name) if "." in name else self._reference(name)

    def _reference(self, name: str) -> str:
        known = {**_PSEUDO_PARAMETERS, **self.names, **self.references}
        if name not in known:
            raise RunError(f"the template refers to {name}, which the local runtime does not create")
        return known[name]

    def _attribute(self, path: str) -> str:
        name, _, attribute = path.partition(".")
        if attribute not in {"Arn", "ConsumerARN"} or name not in self.arns:
            raise RunError(f"the template uses the attribute {path}, which the local runtime does not know")
        return self.arns[name]


def physical_names(template: Template, stack: str = STACK) -> PhysicalNames:
    """Names as CloudFormation makes them: the template's own where it gives one, else stack and logical id."""
    names: dict[str, str] = {}
    arns: dict[str, str] = {}
    for kind, prefix in _ARNS.items():
        for resource in template.of_type(kind):
            own = resource.properties.get(_NAME_PROPERTIES[kind])
            names[resource.name] = own if isinstance(own, str) else _default_name(resource, stack)
            arns[resource.name] = prefix + names[resource.name]
    for consumer in template.of_type("AWS::Kinesis::StreamConsumer"):
        stream = PhysicalNames(names, arns).resolve(consumer.properties.get("StreamARN"))
        arns[consumer.name] = f"{stream}/consumer/{consumer.properties.get('ConsumerName')}:0"
    queues = {resource.name: _QUEUE_URL + names[resource.name] for resource in template.of_type("AWS::SQS::Queue")}
    topics = {resource.name: arns[resource.name] for resource in template.of_type("AWS::SNS::Topic")}
    return PhysicalNames(names, arns, queues | topics)


def _default_name(resource: Resource, stack: str) -> str:
    name = f"{stack}-{resource.name}"
    return name.lower() if resource.type == "AWS::S3::Bucket" else name


def _resource(name: str, body: Value) -> Resource:
    if not isinstance(body, dict) or not isinstance(kind := body.get("Type"), str):
        raise RunError(f"the template's resource {name} has no Type")
    return Resource(name, kind, mapping_at(body, "Properties"))


@dataclass(frozen=True)
class _Choice:
    """The parameters' values, and the conditions that depend on them."""

    parameters: Mapping[str, Value]
    conditions: Properties

    def apply(self, value: Value) -> Value:
        """The value with parameters and branches replaced. A property without a value is left out of its mapping."""
        match value:
            case Intrinsic("Ref", str(name)) if name in self.parameters:
                return self.parameters[name]
            case Intrinsic("If", [str(condition), then, otherwise]):
                return self.apply(then if self._is_met(condition) else otherwise)
            case Intrinsic(function, argument):
                return Intrinsic(function, self.apply(argument))
            case dict():
                applied = {name: self.apply(each) for name, each in value.items()}
                return {name: each for name, each in applied.items() if each != _NO_VALUE}
            case list():
                return [self.apply(each) for each in value]
            case _:
                return value

    def _is_met(self, condition: str) -> bool:
        if condition not in self.conditions:
            raise RunError(f"the template uses the condition {condition}, which it does not define")
        return self._is_true(self.conditions[condition], condition)

    def _is_true(self, test: Value, condition: str) -> bool:
        match test:
            case Intrinsic("Equals", [one, other]):
                return str(self.apply(one)) == str(self.apply(other))  # CloudFormation compares as text
            case Intrinsic("Not", [inner]):
                return not self._is_true(inner, condition)
            case Intrinsic("Or", list(alternatives)):
                return any(self._is_true(each, condition) for each in alternatives)
            case Intrinsic("Condition", str(name)):
                return self._is_met(name)
            case _:
                raise RunError(f"the local runtime cannot test the template's condition {condition}")


class _Loader(yaml.CSafeLoader):
    """A safe loader in compiled code, which takes a tenth of the time, and knows CloudFormation's short tags."""


def _intrinsic(loader: _Loader, function: str, node: yaml.Node) -> Intrinsic:
    match node:
        case yaml.ScalarNode():
            return Intrinsic(function, str(node.value))
        case yaml.SequenceNode():
            return Intrinsic(function, loader.construct_sequence(node, deep=True))
        case _:
            raise yaml.constructor.ConstructorError(None, None, f"!{function} on a mapping", node.start_mark)


_Loader.add_multi_constructor("!", _intrinsic)
