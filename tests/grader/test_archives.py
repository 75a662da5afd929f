"""Archives from a learning platform and from students, sorted by `nbgrader zip_collect` with the class's rules: every
honest notebook arrives, and no archive reaches anything but its own student's folder.
"""

import io
import stat
import subprocess
import sys
import tarfile
import zipfile
import zlib
from pathlib import Path

import pytest

from grader.convert import Stopped
from grader.course import Course

ROOT = Path(__file__).parents[2]
OWN = {"nbgrader_config.py", "gradebook.db", "late.py"}  # what the class folder holds before


def packed(files, **facts):
    """A zip of these files, whose directory states these facts about each entry, true or not."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
        for entry in archive.infolist():
            for fact, value in facts.items():
                setattr(entry, fact, value)
    return made.getvalue()


def many(count):
    """An archive that lists its one notebook so many times."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("ewc.ipynb", b"many")
        archive.filelist *= count
    return made.getvalue()


def bomb():
    """10 GB of zeros in an archive of 10 MB, which a platform packs into kilobytes."""
    zeros, packer = bytes(10_000_000), zlib.compressobj(9, zlib.DEFLATED, -15)
    stream = (packer.compress(zeros) + packer.flush(zlib.Z_FULL_FLUSH)) * 1000 + packer.flush()
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("ewc.ipynb", stream)
        entry = archive.infolist()[0]
        entry.compress_type, entry.file_size = zipfile.ZIP_DEFLATED, 10_000_000_000
    return made.getvalue()


def nested(depth):
    content = packed({"ewc.ipynb": b"nested"})
    for _ in range(depth):
        content = packed({"work.zip": content})
    return content


def linked():
    """A tar of links, hard links, a pipe and a device, each named like the notebook."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        for kind, to in (("SYM", "../../../../gradebook.db"), ("LNK", "/etc/passwd"), ("FIFO", ""), ("CHR", "")):
            entry = tarfile.TarInfo("ewc.ipynb")
            entry.type, entry.linkname = getattr(tarfile, f"{kind}TYPE"), to
            archive.addfile(entry)
    return made.getvalue()


ZIPPED = packed({"ewc.ipynb": b"zipped"})
# What a platform packs of honest students: a path in its archive, and the content. Their notebooks hold their names.
HONEST = {
    "flat": ("flat_1_assignsubmission_file_ewc.ipynb", b"flat"),
    "folder": ("folder_1_assignsubmission_file/ewc.ipynb", b"folder"),
    "Łukasz Żółć": ("group a/Łukasz Żółć_1_file/ewc.ipynb", "Łukasz Żółć".encode()),
    "zipped": ("zipped_1_file/work.zip", ZIPPED),
    "CAPITALS": ("CAPITALS_1_file_WORK.ZIP", packed({"work/": b"", "work/ewc/ewc.ipynb": b"CAPITALS"})),
    "twice": ("twice_1_file/work.zip", packed({"work.zip": packed({"ewc.ipynb": b"twice"})})),
    "windows": ("windows_1_file/work.zip", packed({"work\\ewc.ipynb": b"windows"})),
    "mac": (
        "mac_1_file/work.zip",
        packed({"ewc.ipynb": b"mac", "__MACOSX/._ewc.ipynb": b"x", ".ipynb_checkpoints/ewc.ipynb": b"old"}),
    ),
    "all": ("all_1_file/work.zip", packed({**{f"venv/{n}.py": b"" for n in range(300)}, "ewc.ipynb": b"all"})),
}
# The same of others, with words that are said of it, if any, and the notebooks that are taken.
HOSTILE = {
    "damaged": ("damaged_1_file/work.zip", ZIPPED[:60], "not a zip file", set()),
    "wrong": ("wrong_1_file/work.zip", packed({"ewc.ipynb": b"x"}, CRC=1), "Bad CRC-32", set()),
    "torn": ("torn_1_ewc.ipynb", b"x", "Bad CRC-32", set()),  # by the platform
    "locked": ("locked_1_file/work.zip", packed({"ewc.ipynb": b"x"}, flag_bits=1), "is encrypted", set()),
    "bzip2": ("bzip2_1_file/work.zip", packed({"ewc.ipynb": b"x"}, compress_type=12), "unusual way", set()),
    "bytes": (
        "bytes_1_file/work.zip",
        packed({"é.ipynb": b"x"}).replace("é".encode(), b"\xff\xff"),
        "can't decode",
        set(),
    ),
    "control": ("control_1_file/work.zip", packed({"\x1b[2J.ipynb": b"x"}), "control characters", set()),
    "long": ("long_1_file/work.zip", packed({f"{'x' * 300}.ipynb": b"x"}), "name too long", set()),
    "bomb": ("bomb_1_file/work.zip", bomb(), "more than 100 MB", set()),
    "many": ("many_1_file/work.zip", many(100_000), "more than 100 n", {f"ewc copy {n}" for n in range(1, 100)}),
    "nested": ("nested_1_file/work.zip", nested(200), "archives within archives", set()),
    "tar": ("tar_1_file/work.tar.gz", linked(), "no notebook", set()),
    "pdf": ("pdf_1_file/ewc.pdf", b"%PDF", "no notebook", set()),
    "modules": (
        "modules_1_file/work.zip",
        packed(dict.fromkeys((*OWN, "sitecustomize.py", "timestamp.txt"), b"raise SystemExit")),
        "no notebook",
        set(),
    ),
    "link": (
        "link_1_file/work.zip",
        packed({"ewc.ipynb": b"../../gradebook.db"}, external_attr=(stat.S_IFLNK | 0o777) << 16),
        "",
        {"ewc"},  # a file that holds these words
    ),
    "locks": (
        "locks_1_file/work.zip",
        packed({"ewc.ipynb": b"x"}, external_attr=(stat.S_IFREG | stat.S_ISUID) << 16),
        "",
        {"ewc"},
    ),
    "up": ("up_1_file/work.zip", packed({"../../../../a.ipynb": b"x", "/tmp/b.ipynb": b"x"}), "", {"a", "b"}),
    "other": ("other_1_file/work.zip", packed({"../folder_1_file/ewc.ipynb": b"x", "../bo_2_file/a.ipynb": b"x"}), "",
              {"ewc", "a"}),
    "folders": ("folders_1_file/ewc/extracted/bo_2_ewc.ipynb", b"x", "", {"ewc"}),
    "slip": ("../../../slip_1_ewc.ipynb", b"x", "", {"ewc"}),
    "absolute": ("/absolute_1_ewc.ipynb", b"x", "", {"ewc"}),
    "{x}%s": ("{x}%s_1_{y}%s.ipynb", b"x", "", {"{y}%s"}),
    "..": (".._1_ewc.ipynb", b"x", "", set()),
    "ewc.ipynb": ("ewc.ipynb", b"x", "no student's name", set()),
    "_1_": ("_1_ewc.ipynb", b"x", "no student's name", set()),
}  # fmt: skip


def collect(folder, rules=""):
    """Sort what lies in the class's archive folder, as an instructor does it, and return what is said."""
    (folder / "nbgrader_config.py").write_text((ROOT / "nbgrader_config.py").read_text("utf-8") + rules, "utf-8")
    command = [sys.executable, "-m", "nbgrader", "zip_collect", "ewc", "--force", "--log-level=ERROR"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, encoding="utf-8", timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stderr


def taken(folder):
    """The notebooks in submitted/: from a student to {name without its end: content}."""
    found = {}
    for path in (folder / "submitted").glob("*/ewc/*.ipynb"):
        found.setdefault(path.parts[-3], {})[path.stem] = path.read_bytes()
    return found


@pytest.fixture(scope="module")
def collected(tmp_path_factory):
    """A class with all of these, collected once: its folder, and what was said."""
    folder = tmp_path_factory.mktemp("course") / "class_of_2026"
    place = folder / "downloaded" / "ewc" / "archive"
    place.mkdir(parents=True)
    for name in OWN:
        (folder / name).write_bytes(b"the class's own")
    with zipfile.ZipFile(place / "CS_101-ewc.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content, *_ in (*HOSTILE.values(), *HONEST.values()):
            archive.writestr(path, content)
        for number, content in enumerate((b"one Anna", b"another Anna")):
            archive.writestr(f"Anna_{number}_file/ewc.ipynb", content)
        archive.getinfo("torn_1_ewc.ipynb").CRC ^= 1
    (place / "cut off.zip").write_bytes(b"PK\3\4" + bytes(100) + packed({"bo_2_ewc.ipynb": b"x"}) + bytes(100))
    # What an instructor has unpacked already.
    (place / "loose_1_ewc.ipynb").write_bytes(b"loose")
    (place / "links_1_ewc.ipynb").symlink_to(folder / "gradebook.db")
    (place / "links_1_file").symlink_to(folder)
    (place / "unpacked_1_file").mkdir()
    (place / "unpacked_1_file" / "work.zip").write_bytes(packed({"bo_2_ewc.ipynb": b"unpacked"}))
    return folder, collect(folder)


def test_every_honest_notebook_arrives(collected):
    found = taken(collected[0])
    for student in (*HONEST, "loose", "unpacked"):
        assert found.get(student) == {"ewc": student.encode()}, student


@pytest.mark.parametrize("student", HOSTILE)
def test_a_hostile_archive_reaches_no_further_than_its_own_student(collected, student):
    _, _, words, notebooks = HOSTILE[student]
    folder, said = collected
    assert set(taken(folder).get(student, {})) == notebooks
    assert not words or any(student in line and words in line for line in said.splitlines()), said


def test_nobody_hands_in_for_another_and_nothing_lies_elsewhere(collected):
    folder, said = collected
    students = {path.name for path in (folder / "submitted").iterdir()}
    expected = {student for student, (*_, notebooks) in HOSTILE.items() if notebooks}
    assert students == {*HONEST, *expected, "Anna", "loose", "unpacked"}
    assert {path.name for path in folder.iterdir()} == {*OWN, "downloaded", "submitted"}
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
    assert all((folder / name).read_bytes() == b"the class's own" for name in OWN - {"nbgrader_config.py"})
    assert "'cut off.zip': the archive is cut off" in said


def test_only_small_plain_notebooks_are_unpacked(collected):
    folder, _ = collected
    for place in (folder / "downloaded" / "ewc" / "extracted", folder / "submitted"):
        for path in place.rglob("*"):
            mode = path.lstat().st_mode
            assert stat.S_ISDIR(mode) or stat.S_ISREG(mode) and path.suffix == ".ipynb" and mode & 0o7700 == 0o600, path
    assert sum(path.stat().st_size for path in (folder / "submitted").rglob("*.ipynb")) < 100_000


def test_of_two_notebooks_of_one_name_neither_is_graded_and_both_are_kept(collected):
    folder, _ = collected
    assert taken(folder)["Anna"] == {"ewc copy 1": b"one Anna", "ewc copy 2": b"another Anna"}
    with pytest.raises(Stopped, match="ewc.ipynb is missing.*ewc copy 1.ipynb, ewc copy 2.ipynb"):
        Course(ROOT, folder, "ewc").handed_in("Anna")


def test_a_student_has_so_many_bytes_in_all_archives_together_and_costs_no_other_any(tmp_path):
    place = tmp_path / "downloaded" / "ewc" / "archive"
    place.mkdir(parents=True)
    most = bytes(2000)  # five are 10,000, packed they are 200
    ada = packed({f"{n}.zip": packed({f"{n}.ipynb": most}) for n in range(9)})
    (place / "moodle.zip").write_bytes(packed({"ada_1_file/work.zip": ada, "bo_1_ewc.ipynb": most}))
    said = collect(tmp_path, "LARGEST = 10_000\n")
    found = taken(tmp_path)
    assert 1 < len(found["ada"]) < 5 and found["bo"] == {"ewc": most}
    assert "'ada_1_file/work.zip/8.zip" in said


def test_a_whole_class_has_so_many_bytes(tmp_path):
    place = tmp_path / "downloaded" / "ewc" / "archive"
    place.mkdir(parents=True)
    (place / "moodle.zip").write_bytes(packed({f"{n}_1_ewc.ipynb": bytes(2000) for n in range(9)}))
    said = collect(tmp_path, "TOTAL = 10_000\n")
    assert len(taken(tmp_path)) == 5 and "'8_1_ewc.ipynb': more than" in said
