"""All verbs of the command line. What needs time to import is imported by the verb that uses it."""

from invoke.collection import Collection

from installer.cli.verbs import bundle, generate, install, kickstart, lab, plan, preflight, status, validate, verify

VERBS = Collection(
    generate.generate,
    validate.validate,
    kickstart.kickstart,
    bundle.bundle,
    preflight.preflight,
    plan.plan,
    install.install,
    verify.verify,
    status.status,
    lab.lab_up,
    lab.lab_down,
    lab.lab_list,
    lab.lab_shell,
)
