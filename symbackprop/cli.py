"""The command line: `symbackprop derive|notes|graph|generate|check|train|bench|demo`."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from symbackprop import __version__
from symbackprop.command.progress import waiting
from symbackprop.errors import CheckError, SymbackpropError

DONE, FAILED, BAD_INPUT = 0, 1, 2

app = typer.Typer(
    name="symbackprop",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class Target(StrEnum):
    """What a module is written for."""

    NUMPY = "numpy"
    CPU = "cpu"
    CUDA = "cuda"


class Device(StrEnum):
    """What target cuda runs on."""

    AUTO = "auto"
    BUILTIN = "builtin"
    NUMBA_CUDA = "numba-cuda"
    LOCKSTEP = "lockstep"


class Writing(StrEnum):
    """What a network is written as: modules, or formulas to paste."""

    NUMPY = "numpy"
    CPU = "cpu"
    CUDA = "cuda"
    LATEX = "latex"


class Dtype(StrEnum):
    """The floating-point type of a program."""

    FLOAT32 = "float32"
    FLOAT64 = "float64"


class Form(StrEnum):
    """How an equation is written."""

    INDEX = "index"
    MATRIX = "matrix"


class Kind(StrEnum):
    """What notes are written as."""

    ARTICLE = "article"
    BEAMER = "beamer"
    FRAGMENT = "fragment"


class Depth(StrEnum):
    """How many steps notes show."""

    RESULT = "result"
    LECTURE = "lecture"
    REWRITE = "rewrite"


class Layout(StrEnum):
    """How derivatives with respect to vectors are arranged."""

    GRADIENT = "gradient"
    NUMERATOR = "numerator"
    DENOMINATOR = "denominator"


class Per(StrEnum):
    """For a batch, or for the single sample of a lecture."""

    BATCH = "batch"
    SAMPLE = "sample"


Network = Annotated[
    str,
    typer.Argument(
        metavar="NETWORK", help="file.py[:name], file.toml, or the name of a shipped example: digits, mazur, xor, ...", show_default=False
    ),
]
Seed = Annotated[int, typer.Option("--seed", help="Every random choice follows from it.", min=0)]
Batch = Annotated[
    int | None, typer.Option("--batch", "-b", help="Largest batch [default: the file's BATCH, or 32].", min=1, show_default=False)
]
DeviceOption = Annotated[
    Device | None,
    typer.Option(
        "--device", help="What --target cuda runs on [default: auto]; lockstep needs no GPU and is for tiny sizes.", show_default=False
    ),
]
DtypeOption = Annotated[Dtype | None, typer.Option("--dtype", help="Default: the file's DTYPE, or float32.", show_default=False)]
OptimizerOption = Annotated[
    str | None,
    typer.Option("--optimizer", help='Such as sgd, or "momentum(0.1, mu=0.9)" [default: the file\'s OPTIMIZER].', show_default=False),
]
Rate = Annotated[float | None, typer.Option("--lr", help="Learning rate, if --optimizer gives none.", show_default=False)]


@app.callback(invoke_without_command=True)
def start(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
) -> None:
    """From one equation per layer to the derivation, the kernel and the proof.

    \b
    Start here:
      symbackprop demo                     the whole way on handwritten digits, about a minute
      symbackprop derive xor               the equations of backpropagation for a network
      symbackprop notes xor -o notes.pdf   the same as a lecture note, slides or a web page
      symbackprop check mazur              prove the gradients, tensor by tensor
      symbackprop generate net.py          write stand-alone NumPy and Numba modules
      symbackprop train net.py --epochs 5  train with the written kernels
      symbackprop bench digits             measure the kernels, and how near they come to the machine's limits
      symbackprop graph "(x + y) * z" x=-2 y=5 z=-4    a circuit, forwards and backwards

    NETWORK is file.py[:name] (a Python file that assigns net = sbp.Sequential(...)), file.toml, or the name of an example.
    """
    if version:
        print(f"symbackprop {__version__}")
        raise typer.Exit(DONE)
    if context.invoked_subcommand is None:
        print(context.get_help())


@app.command(short_help="Print the equations of a network.")
def derive(
    network: Network,
    of: Annotated[
        list[str] | None,
        typer.Option(
            "--of", help="Only this one: a layer (dense_1) or a parameter or input (dense_1.W, x). Repeatable.", show_default=False
        ),
    ] = None,
    per: Annotated[
        Per | None,
        typer.Option(
            "--per", help="For a batch, or the lecture's single sample: the default, unless a layer mixes the samples of a batch."
        ),
    ] = None,
    form: Annotated[
        Form | None, typer.Option("--form", help="Only index form, or only matrix form [default: both].", show_default=False)
    ] = None,
    steps: Annotated[bool, typer.Option("--steps", help="Show how each result was derived, as in a lecture.")] = False,
    depth: Annotated[
        Depth | None, typer.Option("--depth", help="How many steps: result, lecture (as --steps) or rewrite (all).", show_default=False)
    ] = None,
    latex: Annotated[bool, typer.Option("--latex", help="Print LaTeX.")] = False,
    notation: Annotated[str, typer.Option("--notation", help="Letters and signs: a preset such as ufldl.")] = "ufldl",
) -> None:
    """Print the equations: forward pass, error terms, gradients.

    \b
    Examples:
      symbackprop derive mazur
      symbackprop derive xor --of dense_1.W --steps
      symbackprop derive xor --of dense_1 --depth rewrite
      symbackprop derive net.py:encoder --per batch --form index
      symbackprop derive digits --latex > digits.tex
    """
    from symbackprop.command.derive import latex_of, shown
    from symbackprop.command.network import load
    from symbackprop.pipeline import usual_per

    loaded = load(network)
    with waiting(f"deriving {loaded.net.name}"):
        derivation = loaded.net.derive(per=per.value if per is not None else usual_per(loaded.net.spec))
        told = depth.value if depth is not None else "lecture" if steps else None
        told = None if told == "result" else told
        lines = list((latex_of if latex else shown)(derivation, of, form.value if form else None, notation, told))
    for line in lines:
        print(line)


@app.command(short_help="Write lecture notes: article, slides, web page.")
def notes(
    network: Network,
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", help="FILE.tex, FILE.pdf (needs pdflatex; the .tex is written too), FILE.md, FILE.qmd or FILE.html."
        ),
    ] = Path("notes.tex"),
    notation: Annotated[
        str, typer.Option("--notation", "-n", help="Letters and signs: ufldl, larochelle, cs231n, tuwien, ng, goodfellow, bishop, nielsen.")
    ] = "ufldl",
    kind: Annotated[
        Kind, typer.Option("--kind", "-k", help="A handout, slides with one step a click, or bodies to paste into your own file.")
    ] = Kind.ARTICLE,
    depth: Annotated[Depth, typer.Option("--depth", help="Only results, the lines of a lecture, or every single rewrite.")] = Depth.LECTURE,
    layout: Annotated[
        Layout, typer.Option("--layout", help="gradient has the parameter's shape; the other two arrange Jacobians.")
    ] = Layout.GRADIENT,
    form: Annotated[Form, typer.Option("--form", help="Vectors and matrices, or entry by entry.")] = Form.MATRIX,
    shapes: Annotated[bool, typer.Option("--shapes", help="Write the shape under each factor.")] = False,
    homework: Annotated[bool, typer.Option("--homework", help="Leave blanks for the steps; solutions go to FILE-solutions.")] = False,
    example: Annotated[
        bool, typer.Option("--example", help="Work the numbers out: the file's values, or --seed, and the first sample of its data.")
    ] = False,
    optimizer: OptimizerOption = None,
    lr: Rate = None,
    page: Annotated[
        list[str] | None,
        typer.Option("--page", help='A page more: "vanishing gradient", "negative gradient" or "code". Repeatable.', show_default=False),
    ] = None,
    title: Annotated[str, typer.Option("--title", help="Default: it names the network.", show_default=False)] = "",
    author: Annotated[str, typer.Option("--author", help="Whose notes they are.", show_default=False)] = "",
    seed: Seed = 0,
) -> None:
    """Write the derivation as a lecturer would: network, forward pass, error terms, gradients, recursion, algorithms, numbers.

    The notation decides letters, layer numbers, orientation of the weights and signs; the mathematics is always the same.

    \b
    Examples:
      symbackprop notes mazur -o mazur.pdf
      symbackprop notes mazur -o slides.tex --kind beamer --notation ng --shapes
      symbackprop notes net.py -o sheet.pdf --homework --depth rewrite
      symbackprop notes xor -o page.html --example --optimizer "gradientdescent(0.5)"
    """
    from symbackprop.command.network import load
    from symbackprop.command.notes import written

    loaded = load(network)
    rule = chosen_optimizer(loaded, optimizer, lr, needed=False)
    with waiting(f"writing notes on {loaded.net.name}"):
        paths = written(
            loaded,
            output,
            example=example,
            seed=seed,
            notation=notation,
            kind=kind.value,
            depth=depth.value,
            layout=layout.value,
            form=form.value,
            shapes=shapes,
            homework=homework,
            title=title,
            author=author,
            optimizer=rule,
            pages=tuple(page or ()),
        )
    for path in paths:
        print(str(path))


@app.command(short_help="Write stand-alone NumPy and Numba modules.")
def generate(
    networks: Annotated[
        list[str] | None, typer.Argument(metavar="[NETWORK]...", help="One or more networks; none with --all.", show_default=False)
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Rewrite the folder generated/ from examples/*.py of the current folder.")
    ] = False,
    compare: Annotated[
        bool, typer.Option("--check", help="Write nothing: compare, print the differences, fail on stale or extra files.")
    ] = False,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write into.")] = Path("generated"),
    target: Annotated[
        list[Writing] | None, typer.Option("--target", "-t", help="Repeatable [default: numpy and cpu].", show_default=False)
    ] = None,
    dtype: DtypeOption = None,
    batch: Batch = None,
    optimizer: OptimizerOption = None,
    lr: Rate = None,
) -> None:
    """Write stand-alone modules: forward pass, loss, gradients and training step.

    They need numpy and numba only, never symbackprop.

    \b
    Examples:
      symbackprop generate xor
      symbackprop generate xor --target latex --output notes
      symbackprop generate net.py --target cpu --dtype float64 --batch 64 --optimizer "adam(0.001)"
      symbackprop generate --all
      symbackprop generate --all --check
    """
    from symbackprop.command import generated
    from symbackprop.command.network import load
    from symbackprop.pipeline import artifacts

    names = networks or []
    if everything:
        if names or target or dtype or batch or optimizer or lr is not None:
            raise SymbackpropError(
                "--all writes every example as its file says: give no NETWORK and none of --target, --dtype, --batch, --optimizer, --lr"
            )
        with waiting("reading examples") as say:
            texts = generated.wanted(Path("examples"), lambda name: say(f"writing {name}"))
    elif not names:
        raise SymbackpropError("give a NETWORK, or --all")
    else:
        texts = {}
        for name in names:
            loaded = load(name)
            with waiting(f"writing {loaded.net.name}"):
                made = artifacts(
                    loaded.net.spec,
                    targets=tuple(t.value for t in target) if target else generated.TARGETS,
                    dtype=dtype.value if dtype else loaded.dtype or "float32",
                    batch=batch or loaded.batch,
                    optimizer=chosen_optimizer(loaded, optimizer, lr, needed=False),
                )
            texts |= {artifact.path: artifact.text for artifact in made}
    if compare:
        there = generated.found(output) if output.is_dir() else {}
        stale = generated.differences(there if everything else {name: there[name] for name in texts if name in there}, texts)
        for difference in stale:
            print(difference, end="")
        if stale:
            raise CheckError(f"{output}: {len(stale)} of {len(texts)} files differ; run the same command without --check")
        print(f"{output}: {len(texts)} files are as the networks say")
        return
    if everything:
        changed, removed = generated.rewrite(output, texts)
        for name in removed:
            print(f"removed {output / name}")
        print(f"{output}: {len(texts)} files, {len(changed)} changed, {len(removed)} removed")
        return
    from symbackprop.execute.files import write_all

    write_all(output, texts)
    for name in texts:
        print(str(output / name))


@app.command(short_help="Prove the gradients, tensor by tensor.")
def check(
    network: Network,
    target: Annotated[Target, typer.Option("--target", "-t", help="Which program is judged.")] = Target.CPU,
    device: DeviceOption = None,
    dtype: DtypeOption = None,
    seed: Seed = 0,
) -> None:
    """Prove the gradients: numerical differentiation judges the maths, the interpreter judges the code.

    Exit code 1 if any tensor is wrong; its name, error and tolerance are in the table.

    \b
    Examples:
      symbackprop check mazur
      symbackprop check net.py --target numpy --dtype float64 --seed 3
      symbackprop check mazur --target cuda --device lockstep
    """
    from symbackprop.command.network import load

    loaded = load(network)
    with waiting(f"checking {loaded.net.name}"):
        kind = dtype.value if dtype else loaded.dtype or "float32"
        program = loaded.net.compile(target=target.value, dtype=kind, batch=loaded.batch, device=device and device.value)
        report = program.check(seed=seed)
    print(str(report))
    if not report.ok:
        raise CheckError(f"{loaded.net.name}: a gradient is wrong, see the table: {report.worst}")


@app.command(short_help="Train with the written kernels.")
def train(
    network: Network,
    data: Annotated[
        str | None,
        typer.Option(
            "--data",
            "-d",
            help="FILE.npz with arrays x and y (x_1, x_2, ... for several inputs), or digits [default: the file's data()].",
            show_default=False,
        ),
    ] = None,
    epochs: Annotated[int, typer.Option("--epochs", "-e", help="Passes over the data.", min=1)] = 10,
    optimizer: OptimizerOption = None,
    lr: Rate = None,
    batch: Batch = None,
    target: Annotated[Target, typer.Option("--target", "-t", help="Which kernels run.")] = Target.CPU,
    device: DeviceOption = None,
    dtype: DtypeOption = None,
    seed: Seed = 0,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Save the parameters: FILE.npz or FILE.safetensors.", show_default=False)
    ] = None,
) -> None:
    """Train a network with the kernels written for it.

    \b
    Examples:
      symbackprop train digits --epochs 20
      symbackprop train net.py --data measured.npz --optimizer adam --lr 0.001 --output net.npz
    """
    from symbackprop.command.network import load, training_data

    loaded = load(network)
    rule = chosen_optimizer(loaded, optimizer, lr, needed=True)
    if output is not None and output.suffix not in (".npz", ".safetensors"):
        raise SymbackpropError(f"--output {output}: parameters are saved as FILE.npz or FILE.safetensors")
    if output is not None and not output.resolve().parent.is_dir():
        raise SymbackpropError(f"--output {output}: there is no folder {output.resolve().parent}")
    x, y = training_data(loaded, data)
    kind = dtype.value if dtype else loaded.dtype or "float32"
    size = batch or loaded.batch or 32
    with waiting(f"writing kernels for {loaded.net.name}"):
        program = loaded.net.compile(target=target.value, dtype=kind, batch=size, device=device and device.value)
        params = loaded.net.init(seed=seed, dtype=kind)
    history = program.fit(params, x, y, optimizer=rule, epochs=epochs, batch_size=size, seed=seed)
    print(str(history))
    if output is not None:
        params.save(output)
        print(f"saved {output}")


@app.command(short_help="Measure the kernels on this machine.")
def bench(
    network: Network,
    batch: Batch = None,
    threads: Annotated[
        int | None, typer.Option("--threads", help="Default: one, and as many as there are processors.", min=1, show_default=False)
    ] = None,
    dtype: DtypeOption = None,
    plain: Annotated[bool, typer.Option("--plain", help="Measure the plain schedule too.")] = False,
    budget: Annotated[float, typer.Option("--seconds", help="How long to measure, all rows together.", min=0.0, max=3600.0)] = 3.0,
) -> None:
    """Measure loss and gradient: bound and checked calls, one thread and all, how near the limits of this machine.

    The floor is the largest of operations over peak, bytes over bandwidth, and an empty call; the limits are measured too.

    \b
    Examples:
      symbackprop bench digits
      symbackprop bench net.py --batch 256 --threads 1 --dtype float32 --plain
    """
    from symbackprop.command.bench import printed, shown
    from symbackprop.command.network import load

    loaded = load(network)
    with waiting(f"reading {loaded.net.name}") as say:
        parts = list(shown(network, loaded, batch, threads, dtype.value if dtype else None, plain, say, budget))
    printed(parts)


@app.command(short_help="Draw a scalar graph and send gradients through it.")
def graph(
    expression: Annotated[
        str,
        typer.Argument(
            metavar="EXPRESSION",
            help='Such as "(x + y) * z" or "c = a + b; d = b + 1; e = c*d"; or a NETWORK, for its picture.',
            show_default=False,
        ),
    ],
    values: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME=NUMBER]...", help="Values of the inputs.", show_default=False)
    ] = None,
    name: Annotated[str, typer.Option("--name", help="Name of the output, unless the expression names it.")] = "f",
    steps: Annotated[bool, typer.Option("--steps", help="The backward pass, one edge a line.")] = False,
    paths: Annotated[
        list[str] | None,
        typer.Option("--paths", help="Every path from this node to the output, with its product. Repeatable.", show_default=False),
    ] = None,
    svg: Annotated[Path | None, typer.Option("--svg", help="Write the picture as SVG.", show_default=False)] = None,
    output: Annotated[
        list[Path] | None,
        typer.Option("--output", "-o", help="Write the picture: FILE.svg, .tex, .dot, .txt, .pdf, .png. Repeatable.", show_default=False),
    ] = None,
    fuse: Annotated[
        list[str] | None,
        typer.Option("--fuse", help="Functions that become one gate where they are spelled out: sigmoid. Repeatable.", show_default=False),
    ] = None,
    local: Annotated[bool, typer.Option("--local", help="Local gradients on the edges.")] = False,
    decimals: Annotated[
        int | None,
        typer.Option("--decimals", help="Digits after the point [default: 4 significant digits].", min=0, max=15, show_default=False),
    ] = None,
) -> None:
    """Draw a scalar function as a circuit: values forwards, gradients backwards.

    \b
    Examples:
      symbackprop graph "(x + y) * z" x=-2 y=5 z=-4
      symbackprop graph "c = a + b; d = b + 1; e = c*d" a=2 b=1 --steps --paths b
      symbackprop graph "1/(1 + exp(-(w*x + b)))" w=2 x=-1 b=3 --fuse sigmoid --svg neuron.svg
      symbackprop graph xor --output xor.svg
    """
    from symbackprop.command.graph import expression_graph, is_network, network_picture
    from symbackprop.public.graph import FORMATS

    drawn = [*([svg] if svg else []), *(output or [])]
    for path in drawn:
        if path.suffix.lower() not in FORMATS or (path == svg and path.suffix.lower() != ".svg"):
            wanted = ".svg" if path == svg else ", ".join(FORMATS)
            raise SymbackpropError(f"{path}: the ending must be {'one of ' if path != svg else ''}{wanted}")
    if is_network(expression):
        if values or steps or paths or fuse or local:
            raise SymbackpropError(f"{expression} is a network: its picture takes --svg and --output only")
        network_picture(expression, drawn)
        return
    expression_graph(expression, values or [], name, fuse or [], drawn, decimals, steps, paths or [], local)


@app.command(short_help="The whole way on handwritten digits.")
def demo(
    seed: Annotated[
        int | None,
        typer.Option("--seed", help="Train from this one initialisation only [default: five, 0 to 4].", min=0, show_default=False),
    ] = None,
    epochs: Annotated[int, typer.Option("--epochs", "-e", help="Passes over the training images.", min=1)] = 30,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder for the kernels [default: symbackprop-demo, here].", show_default=False)
    ] = None,
) -> None:
    """The whole way on real data: handwritten digits, from equations to test accuracy.

    \b
    Examples:
      symbackprop demo
      symbackprop demo --seed 0 --epochs 5
    """
    from symbackprop.command.demo import tell

    tell((0, 1, 2, 3, 4) if seed is None else (seed,), epochs, output)


def chosen_optimizer(loaded: Any, text: str | None, lr: float | None, needed: bool) -> Any:
    """Return the optimizer of the options, else that of the file."""
    from symbackprop.command.optimizer import optimizer

    if text is not None:
        return optimizer(text, lr)
    if lr is not None:
        raise SymbackpropError(f"--lr {lr:g} belongs to an optimizer: give --optimizer, such as --optimizer sgd")
    if needed and loaded.optimizer is None:
        raise SymbackpropError(f"{loaded.origin} has no OPTIMIZER: give --optimizer, such as --optimizer sgd --lr 0.1")
    return loaded.optimizer


#: The root of the errors that the option parser raises, wherever typer keeps it.
_WRONG_WORDS: type[Exception] = typer.BadParameter.__mro__[2]


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and leave with 0 (done), 1 (a check failed) or 2 (bad input, told in one line)."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A terminal without Unicode shows question marks, no traceback.
        sys.stdout.reconfigure(errors="replace")
    try:
        code = app(args=None if arguments is None else list(arguments), prog_name="symbackprop", standalone_mode=False)
        sys.stdout.flush()
        sys.exit(code if isinstance(code, int) else DONE)
    except CheckError as error:
        _complain(str(error))
        sys.exit(FAILED)
    except SymbackpropError as error:
        _complain(str(error))
        sys.exit(BAD_INPUT)
    except _WRONG_WORDS as error:
        _complain(f"{_told(error)}; see symbackprop --help")
        sys.exit(BAD_INPUT)
    except (KeyboardInterrupt, typer.Abort):
        _complain("stopped")
        sys.exit(130)
    except BrokenPipeError:
        # The reader of a pipe has seen enough; say nothing, and let nothing be flushed into the closed pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(DONE)


def _told(error: BaseException) -> str:
    """Return what the option parser has to say, with the option's name."""
    formatted = getattr(error, "format_message", lambda: str(error))
    return str(formatted()).rstrip(".")


def _complain(message: str) -> None:
    # An equation with marks under it is for whoever catches the error; here one line is promised.
    print(f"symbackprop: {' '.join(message.partition(chr(10) + '    ')[0].split())}", file=sys.stderr)
