"""The command `completion`: the script by which a shell completes commands, options and names."""

from __future__ import annotations

import click


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> int:
    """Print the script by which a shell completes promptlens' options and names.

    \b
    bash:  promptlens completion bash >> ~/.bashrc
    zsh:   promptlens completion zsh >> ~/.zshrc
    fish:  promptlens completion fish > ~/.config/fish/completions/promptlens.fish
    """
    from click.shell_completion import get_completion_class

    from promptlens.cli import COMPLETE_VARIABLE, main

    made = get_completion_class(shell)
    assert made is not None  # the choices are click's own
    click.echo(made(main, {}, "promptlens", COMPLETE_VARIABLE).source())
    return 0
