"""Which files of a project are steps and streams."""

from __future__ import annotations

from pathlib import Path

from motia.steps.discover import Discovered, discover_steps


def make(root: Path, *files: str) -> None:
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).touch()


def test_finds_steps_and_streams_by_name_sorted_in_src_and_steps_only(tmp_path: Path) -> None:
    make(
        tmp_path,
        "steps/z_step.py",
        "src/a.step.py",
        "src/deep/er/b_step.py",
        "src/chat.stream.py",
        "src/users_stream.py",
        # None of these:
        "src/a.step.ts",
        "src/step.py",
        "src/footstep.py",
        "src/a_step.pyc",
        "src/a_step.py.bak",
        "src/a_Step.py",
        "src/.hidden_step.py",
        "src/.cache/x_step.py",
        "src/__pycache__/x_step.py",
        "src/python_modules/pkg/x_step.py",
        "src/node_modules/pkg/x_step.py",
        "lib/x_step.py",
        "x_step.py",
    )
    assert discover_steps(tmp_path) == Discovered(
        steps=["src/a.step.py", "src/deep/er/b_step.py", "steps/z_step.py"],
        streams=["src/chat.stream.py", "src/users_stream.py"],
    )


def test_follows_symbolic_links_but_not_in_circles(tmp_path: Path) -> None:
    make(tmp_path, "src/a_step.py", "shared/b_step.py", "elsewhere/c_step.py")
    (tmp_path / "src/linked").symlink_to(tmp_path / "shared")
    (tmp_path / "src/d_step.py").symlink_to(tmp_path / "elsewhere/c_step.py")
    (tmp_path / "src/loop").symlink_to(tmp_path / "src")
    (tmp_path / "src/gone_step.py").symlink_to(tmp_path / "nowhere")
    (tmp_path / "src/self_step.py").symlink_to(tmp_path / "src/self_step.py")
    assert discover_steps(tmp_path).steps == ["src/a_step.py", "src/d_step.py", "src/linked/b_step.py"]


def test_a_project_without_these_folders_has_no_steps(tmp_path: Path) -> None:
    make(tmp_path, "steps")
    assert discover_steps(str(tmp_path)) == Discovered()
