"""Asks axolotl's own schema what it thinks of recipes; run by the interpreter of axolotl's environment.

python -m training.axolotl_recipe RECIPE --check
"""

from __future__ import annotations

import argparse
import difflib
import sys
from pathlib import Path
from typing import Any

import axolotl
from axolotl.utils.config import validate_config
from axolotl.utils.dict import DictDefault
from axolotl.utils.schemas.config import AxolotlInputConfig
from pydantic import ValidationError

from repairai.errors import RepairError
from repairai.hardware.recipe import read_recipe
from training.axolotl_recipe import as_axolotl


def problems(config: dict[str, Any]) -> list[str]:
    """Return what axolotl has against a configuration: keys that it would pass over in silence, and what it refuses."""
    known = AxolotlInputConfig.model_fields
    found = [f"unknown key {key!r}{_near(key, list(known))}" for key in config if key not in known]
    try:
        validate_config(DictDefault({key: value for key, value in config.items() if key != "plugins"}))
    except ValidationError as error:
        for each in error.errors(include_url=False):
            where = ".".join(map(str, each["loc"]))
            found.append(f"{where}: {each['msg']}" if where else each["msg"])
    except (ValueError, TypeError, NotImplementedError) as error:
        found.append(str(error))
    return found


def _near(key: str, known: list[str]) -> str:
    near = difflib.get_close_matches(key, known, n=1)
    return f", did you mean {near[0]!r}?" if near else ""


def main(arguments: list[str] | None = None) -> int:
    """Run it; see the module's first lines."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipes", type=Path, nargs="+", metavar="RECIPE")
    code = 0
    for path in parser.parse_args(arguments).recipes:
        try:
            recipe = read_recipe(path)
            found = problems(as_axolotl(recipe, recipe.step.model, Path("RUN")))
        except RepairError as error:
            found = [str(error)]
        for each in found:
            print(f"{path.name}: {each}", file=sys.stderr)
        if not found:
            print(f"{path.name}: axolotl {axolotl.__version__} takes it")
        code = 2 if found else code
    return code


if __name__ == "__main__":
    sys.exit(main())
