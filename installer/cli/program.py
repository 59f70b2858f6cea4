"""The command line: invoke's parser and executor, with pystack's words for help and errors."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Sequence
from typing import Any

from invoke.collection import Collection
from invoke.completion.complete import complete, print_completion_script
from invoke.config import Config
from invoke.exceptions import Exit, ParseError
from invoke.parser.argument import Argument
from invoke.program import Program

from installer import exit_codes
from installer.cli.options import BARE_WORDS, OPTIONS, Option, option
from installer.cli.spelling import help_of, nearest, translate
from installer.errors import UsageError

GROUPS = {
    "The answer file": ("generate", "validate"),
    "Hosts that do not exist yet": ("kickstart",),
    "The cloud": ("preflight", "plan", "install", "verify", "status"),
    "Sites without a way to the package index": ("bundle",),
    "Throw-away hosts on this machine": ("lab-up", "lab-list", "lab-shell", "lab-down"),
}
WIDTH = 78
SHELLS = ("bash", "zsh", "fish")
#: Options that other installers have, and what does that here.
_ELSEWHERE = dict.fromkeys(("--dry-run", "--check", "--diff"), "pystack plan shows what install would change")


class PystackProgram(Program):
    """Parses a command line and runs its verb; ``exit_code`` is what came of it.

    Args:
        version: what --version prints.
        verbs: all verbs.
    """

    def __init__(self, version: str, verbs: Collection) -> None:
        super().__init__(name="pystack", binary="pystack", binary_names=["pystack"], version=version, namespace=verbs)
        self.verbs = verbs
        self.exit_code = 0

    def run_words(self, words: Sequence[str]) -> int:
        """Run what the words after the program's name ask for, and return the exit code.

        Raises:
            UsageError: the words cannot be understood; the message names what may have been meant.
        """
        options = {
            str(context.name): {flag for flag, argument in context.flags.items() if argument.takes_value}
            for context in self.verbs.to_contexts()
        }
        bare = {name: f"--{option}" for name, option in BARE_WORDS.items()}
        repeatable = {f"--{name}" for name, told in OPTIONS.items() if told.repeatable}
        try:
            self.create_config()
            self.parse_core(["pystack", *translate(words, bare, options, repeatable)])
            self.parse_collection()
            self.parse_tasks()
            self.parse_cleanup()
            self.execute()
        except Exit:
            return self.exit_code
        except ParseError as problem:
            raise self._explained(problem, words) from problem
        return self.exit_code

    def create_config(self) -> None:
        """Use invoke's defaults: its configuration files are not those of pystack."""
        self.config = Config(lazy=True)

    def core_args(self) -> list[Any]:
        """Return the options that need no verb."""
        return [
            Argument(names=("help", "h"), optional=True),
            Argument(names=("version", "V"), kind=bool, default=False),
            Argument(names=("print-completion-script",)),
            Argument(names=("complete",), kind=bool, default=False),
        ]

    def parse_core(self, argv: list[str] | None) -> None:
        """Parse what needs no verb, and do it."""
        self.normalize_argv(argv)
        self.parse_core_args()
        if self.args.version.value:
            self.print_version()
            raise Exit
        shell = self.args["print-completion-script"].value
        if shell:
            if shell not in SHELLS:
                raise UsageError(f"there is no completion script for {shell!r}", f"name one of {', '.join(SHELLS)}")
            print_completion_script(shell=shell, names=["pystack"])
            raise Exit

    def parse_cleanup(self) -> None:
        """Show help or completions if that is what was asked for."""
        wanted = self.args.help.value
        if wanted is True or not (wanted or self.tasks or self.args.complete.value):
            self.print_help()
            raise Exit
        if wanted:
            if wanted not in self.parser.contexts:
                raise UsageError(f"there is no command {wanted!r}", nearest(wanted, self.verbs.task_names))
            self.print_task_help(wanted)
            raise Exit
        if self.args.complete.value:
            complete(
                names=self.binary_names,
                core=self.core,
                initial_context=self.initial_context,
                collection=self.collection,
                parser=self._make_parser(),
            )
        if len(self.tasks) > 1:
            names = " and ".join(str(context.name) for context in self.tasks)
            raise UsageError(f"one command at a time: {names} were given", "run them one after another")

    def execute(self) -> None:
        """Run the verb; what it returns is the exit code."""
        executor = self.executor_class(self.collection, self.config, self.core)
        for result in executor.execute(*self.tasks).values():
            self.exit_code = result if isinstance(result, int) else 0

    def print_help(self) -> None:
        """Print what pystack does, its verbs, and what its exit codes mean."""
        print("pystack turns plain Linux hosts into an OpenStack cloud: answer file in, verified cloud out.")
        print("\nUsage: pystack COMMAND [OPTIONS]      pystack COMMAND --help tells more\n")
        for title, names in GROUPS.items():
            print(f"{title}:")
            for name in names:
                print(f"  {name:10} {inspect.getdoc(self.verbs[name]).splitlines()[0]}")  # type: ignore[union-attr]
            print()
        print("Options without a command:")
        print("  --version, --help, --print-completion-script bash|zsh|fish")
        print("  Packstack's spellings work too: --gen-answer-file=F, --answer-file=F, --allinone, --install-hosts=A,B")
        print("\nExit codes:")
        for code, (_, meaning) in exit_codes.MEANINGS.items():
            print(f"  {code:<4} {meaning}")

    def print_task_help(self, name: str) -> None:
        """Print the help of a verb: usage, what its docstring says, its options."""
        context = self.parser.contexts[name]
        bare = BARE_WORDS.get(name)
        word = f" [{OPTIONS[bare].value}]" if bare else ""
        print(f"Usage: pystack {name}{word}{' [OPTIONS]' if context.args else ''}\n")
        print(inspect.getdoc(self.verbs[name]))
        if not context.args:
            return
        print("\nOptions:")
        for argument in dict.fromkeys(context.args.values()):
            flag = argument.name.strip("_").replace("_", "-")
            told = option(name, flag)
            spelled = f"--{flag}={told.value}" if told.value else f"--{flag}"
            first, *others = textwrap.wrap(_text(told, argument), WIDTH - 26, break_on_hyphens=False)
            print(f"  {spelled:22}  {first}")
            for line in others:
                print(f"{'':26}{line}")

    def _explained(self, problem: ParseError, words: Sequence[str]) -> UsageError:
        """Return invoke's complaint in pystack's words."""
        message = str(problem)
        unknown = re.search(r"No idea what '(.*)' is", message)
        context = problem.context
        known = list(context.flags) if context and context.name else list(self.initial_context.flags)
        if unknown and unknown[1].startswith("-"):
            return _unknown_option(unknown[1], str((context and context.name) or ""), known, words)
        if unknown and words[0] in self.verbs.task_names:
            return UsageError(f"{words[0]} takes no {unknown[1]!r}", help_of(words[0]))
        if unknown:
            names = sorted(self.verbs.task_names)
            return UsageError(f"there is no command {unknown[1]!r}", nearest(unknown[1], names) or "see pystack --help")
        lacking = re.search(r"<Argument: ([\w-]+)", message)
        if lacking and "needed value" in message:
            name = lacking[1].strip("_").replace("_", "-")
            value = OPTIONS[name].value if name in OPTIONS else "VALUE"
            return UsageError(f"--{name} needs a value", f"write --{name}={value}")
        return UsageError(message, "see pystack --help")


def _text(told: Option, argument: Argument) -> str:
    """Return what help says of an option."""
    choices = list(told.choices())
    among = f"; one of {', '.join(choices)}" if choices else ""
    default = f"; {argument.default} by default" if choices and argument.default else ""
    return told.help + among + default + (" (may be given again)" if told.repeatable else "")


def _unknown_option(option: str, verb: str, known: Sequence[str], words: Sequence[str]) -> UsageError:
    # Only here the catalogue is needed, which takes long to read.
    from installer.cli.parameters import remedy_for

    remedy = (
        _ELSEWHERE.get(option)
        or remedy_for(option, words, known, verb)
        or nearest(option, known)
        or f"{f'pystack {verb}' if verb else 'pystack'} --help lists the options"
    )
    return UsageError(f"{f'{verb} has' if verb else 'there is'} no option {option}", remedy)
