"""What the template's references stand for on this machine: the names and ARNs of what was created."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from local_runtime.errors import RunError
from local_runtime.processes.environment import REGION
from local_runtime.stack.template import Intrinsic, Properties, Template, Value

ACCOUNT = "000000000000"
STACK = "local"
_NAME_PROPERTIES = {
    "AWS::Kinesis::Stream": "Name",
    "AWS::S3::Bucket": "BucketName",
    "AWS::DynamoDB::Table": "TableName",
}
_ARNS = {
    "AWS::Kinesis::Stream": f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/",
    "AWS::S3::Bucket": "arn:aws:s3:::",
    "AWS::DynamoDB::Table": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/",
}
_PSEUDO_PARAMETERS = {
    "AWS::Region": REGION,
    "AWS::AccountId": ACCOUNT,
    "AWS::StackName": STACK,
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
}
_REFERENCE = re.compile(r"\$\{([^!}][^}]*)\}")


@dataclass(frozen=True)
class Physical:
    """`names[logical id]` is what `!Ref` gives, `arns[logical id]` what `!GetAtt ….Arn` gives."""

    names: Mapping[str, str]
    arns: Mapping[str, str]

    def resolve(self, value: Value) -> Value:
        """The value with every intrinsic replaced. Raises RunError for one that this machine cannot answer."""
        match value:
            case Intrinsic():
                return self._answer(value)
            case dict():
                return self.resolve_all(value)
            case list():
                return [self.resolve(each) for each in value]
            case _:
                return value

    def resolve_all(self, properties: Properties) -> Properties:
        return {name: self.resolve(value) for name, value in properties.items()}

    def _answer(self, intrinsic: Intrinsic) -> str:
        match intrinsic:
            case Intrinsic("Ref", str(name)):
                return self._reference(name)
            case Intrinsic("GetAtt", str(path)):
                return self._attribute(path)
            case Intrinsic("Sub", str(text)):
                return _REFERENCE.sub(lambda found: self._substitute(found[1]), text).replace("${!", "${")
            case _:
                raise RunError(f"the template uses !{intrinsic.function}, which the local runtime does not know here")

    def _substitute(self, name: str) -> str:
        return self._attribute(name) if "." in name else self._reference(name)

    def _reference(self, name: str) -> str:
        known = {**_PSEUDO_PARAMETERS, **self.names}
        if name not in known:
            raise RunError(f"the template refers to {name}, which the local runtime does not create")
        return known[name]

    def _attribute(self, path: str) -> str:
        name, _, attribute = path.partition(".")
        if attribute != "Arn" or name not in self.arns:
            raise RunError(f"the template asks for {path}, which the local runtime does not know")
        return self.arns[name]


def physical_names(template: Template) -> Physical:
    """Names as CloudFormation makes them: the template's own where it gives one, else stack and logical id."""
    names: dict[str, str] = {}
    arns: dict[str, str] = {}
    for kind, prefix in _ARNS.items():
        for resource in template.of_type(kind):
            own = resource.properties.get(_NAME_PROPERTIES[kind])
            names[resource.name] = own if isinstance(own, str) else _generated(resource.name, kind)
            arns[resource.name] = prefix + names[resource.name]
    return Physical(names, arns)


def _generated(name: str, kind: str) -> str:
    generated = f"{STACK}-{name}"
    return generated.lower() if kind == "AWS::S3::Bucket" else generated
