"""The commands of goals: check, renew, agree, amend, status, rollup, backtest; apart from the others, because they
make a chapter of their own.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated

import typer

from pbr_lib import workspace
from pbr_lib.errors import InputError
from pbr_lib.terminal import print_json, print_lines

__all__ = ["goals"]

goals = typer.Typer(
    name="goals",
    help="Goals that run themselves: check, renew, agree, follow.",
    epilog="Example:\n\n  pbr goals renew 2026-Q4",
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
)

Quarter = Annotated[str, typer.Argument(help="A quarter such as 2026-Q4.")]
Newest = Annotated[str, typer.Argument(help="A quarter such as 2026-Q3; left out, the newest in the data.")]
Partners = Annotated[list[str] | None, typer.Option("--partner", help="This partner only; may be given again.")]
OneGoal = Annotated[str, typer.Option("--goal", help="This goal only.")]
Json = Annotated[bool, typer.Option("--json", help="Everything as JSON, and nothing else.")]
Us = Annotated[str, typer.Option("--us", help="Who signs for us: a role or a name.")]
Them = Annotated[str, typer.Option("--them", help="Who signs for the partner: a role or a name.")]
On = Annotated[str, typer.Option("--on", help="The day of the signature, YYYY-MM-DD; left out, today.")]
Every = Annotated[bool, typer.Option("--all", help="List every target, also those that need nothing.")]


@goals.command(
    "check",
    epilog="""Examples:

  pbr goals check                      the goals of the newest quarter

  pbr goals check 2026-Q4 --all        proposals for the next one, remarks included

  pbr goals check --json               for machines
""",
)
def goals_check(
    quarter: Newest = "",
    every: Annotated[bool, typer.Option("--all", help="List every finding, remarks included.")] = False,
    json_: Json = False,
) -> None:
    """Check that goals are specific, assignable, measurable, attainable, relevant and time-bound."""
    from pbr_lib import planning

    checked = planning.check(workspace.find_root(), quarter)
    if json_:
        print_json(checked.as_json())
    else:
        print_lines(checked.lines(every))
    if checked.faulty:
        raise typer.Exit(2)


@goals.command(
    "renew",
    epilog="""Examples:

  pbr goals renew 2026-Q4                    proposals for every partner

  pbr goals renew 2026-Q4 --explain          with every step of the arithmetic

  pbr goals renew 2026-Q4 --refresh          proposals that nobody signed or changed are made anew
""",
)
def goals_renew(
    quarter: Quarter,
    partner: Partners = None,
    explain: Annotated[bool, typer.Option("--explain", help="Show every step behind each proposal.")] = False,
    refresh: Annotated[bool, typer.Option("--refresh", help="Make unsigned, unchanged proposals anew.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be written, and write nothing.")] = False,
    json_: Json = False,
) -> None:
    """Propose the targets of a quarter from those of the one before."""
    from pbr_lib import renewing

    request = renewing.Request(quarter, tuple(partner or ()), refresh, dry_run)
    renewed = renewing.renew(workspace.find_root(), request)
    if json_:
        print_json(renewed.as_json())
    else:
        print_lines(renewed.lines(explain))


@goals.command(
    "agree",
    epilog="""Examples:

  pbr goals agree 2026-Q4 --us "Channel manager"                        all targets, our side

  pbr goals agree 2026-Q4 --partner P-001 --them "Alliance lead"        one partner's, their side
""",
)
def goals_agree(
    quarter: Quarter,
    partner: Partners = None,
    goal: OneGoal = "",
    us: Us = "",
    them: Them = "",
    on: On = "",
) -> None:
    """Sign targets for our side, for the partner's, or for both."""
    from pbr_lib import signing

    signature = signing.Signature(us.strip(), them.strip(), _day(on))
    signed = signing.agree(workspace.find_root(), quarter, signature, partner or (), goal)
    print_lines(signed.lines("target"))
    if signed.refused:
        raise typer.Exit(2)


@goals.command(
    "amend",
    epilog="""Example:

  pbr goals amend 2026-Q3 --partner P-001 --goal new_leads_q --to 6 --reason "a second team" --us "Channel manager"
""",
)
def goals_amend(  # noqa: PLR0913 - options of a command, each with its own help
    quarter: Quarter,
    partner: Annotated[str, typer.Option("--partner", help="Whose target.")],
    goal: Annotated[str, typer.Option("--goal", help="Which goal.")],
    to: Annotated[str, typer.Option("--to", help="The new target, as the file writes it.")],
    reason: Annotated[str, typer.Option("--reason", help="Why it changes.")],
    us: Us = "",
    them: Them = "",
    on: On = "",
) -> None:
    """Change an agreed target with a reason; it holds once both sides have signed."""
    from pbr_lib import signing

    change = signing.Change(partner, goal, to, reason)
    signature = signing.Signature(us.strip(), them.strip(), _day(on))
    print_lines(signing.amend(workspace.find_root(), quarter, change, signature).lines("amendment"))


@goals.command(
    "status",
    epilog="""Examples:

  pbr goals status                     of the newest quarter

  pbr goals status 2026-Q4 --all       every target
""",
)
def goals_status(quarter: Newest = "", every: Every = False, json_: Json = False) -> None:
    """Say how far the agreement of a quarter's targets has come."""
    from pbr_lib import planning

    found = planning.status(workspace.find_root(), quarter)
    if json_:
        print_json(found.as_json())
    else:
        print_lines(found.lines(every))


@goals.command(
    "rollup",
    epilog="""Examples:

  pbr goals rollup                         all partners, and the parents of goals.yaml

  pbr goals rollup 2026-Q2 --by region     by any column of the partner list
""",
)
def goals_rollup(
    quarter: Newest = "",
    by: Annotated[str, typer.Option("--by", help="tier, region, partner_type or partner_manager.")] = "",
    json_: Json = False,
) -> None:
    """Roll goals up over partners: ratio of sums, pooled rates, each deal once."""
    from pbr_lib import planning

    rolled = planning.rollup(workspace.find_root(), quarter, by)
    if json_:
        print_json(rolled.as_json())
    else:
        print_lines(rolled.lines())


@goals.command(
    "backtest",
    epilog="""Examples:

  pbr goals backtest

  pbr goals backtest --json
""",
)
def goals_backtest(json_: Json = False) -> None:
    """Replay past quarters and score the forecast against simple ones."""
    from pbr_lib import planning

    tested = planning.backtest(workspace.find_root())
    if json_:
        print_json(tested.as_json())
    else:
        print_lines(tested.lines())


def _day(text: str) -> dt.date:
    """A day as people type it; today when they type none, since a signature is given today."""
    if not text:
        return dt.datetime.now().astimezone().date()
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise InputError(f'"{text}" is no day', "--on", "write it like 2026-10-02") from None
