"""Share of pdftotext's words that retune's reader finds, for each PDF: words.py PROGRAM PDF..."""
import collections
import re
import subprocess
import sys
import time


def words(text):
    text = text.replace("\u00ad\n", "").replace("\f", "\n")
    for ligature, letters in ("ﬀ", "ff"), ("ﬁ", "fi"), ("ﬂ", "fl"), ("ﬃ", "ffi"), ("ﬄ", "ffl"):
        text = text.replace(ligature, letters)
    text = re.sub(r"(?<=\w)[-\u2010]\n+(?=[a-zß-ÿ])", "", text)
    return collections.Counter(re.findall(r"[^\W_]+", text.lower()))


program, files = sys.argv[1].split(), sys.argv[2:]
print(f"{'found':>7} {'extra':>7} {'words':>8} {'s':>6}  file")
for file in files:
    theirs = words(subprocess.run(["pdftotext", file, "-"], capture_output=True).stdout.decode(errors="replace"))
    start = time.monotonic()
    ours = words(subprocess.run([*program, file], capture_output=True).stdout.decode(errors="replace"))
    seconds = time.monotonic() - start
    total, common = sum(theirs.values()), sum((theirs & ours).values())
    print(f"{common / max(total, 1):7.4f} {sum((ours - theirs).values()) / max(total, 1):7.4f} {total:8} {seconds:6.2f}  {file}")
    if "-v" in sys.argv:
        print((theirs - ours).most_common(30), (ours - theirs).most_common(30))
