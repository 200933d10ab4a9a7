"""Ends that no code under test may catch. They are no `Exception`, so botocore and our own code let them through."""


class Crash(BaseException):
    """The process is gone; what it had written stays."""


class TimeIsUp(BaseException):
    """Lambda ends an invocation that runs into its time limit."""


class TaskTimedOut(Exception):
    """What the event source mapping hears of an invocation that Lambda ended."""
