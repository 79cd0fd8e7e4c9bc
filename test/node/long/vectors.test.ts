import { expect } from "bun:test";
import { formatExceptions, readExceptions } from "../../vectors/exceptions.ts";
import {
  differences,
  readVectors,
  type Seen,
  seclabelIn,
  seenOfFiles,
  type Vector,
  withoutRange,
} from "../../vectors/vectors.ts";
import { type Notes, noteOf, outOf, parseLabels } from "../harness/notes.ts";
import { onANode } from "../harness/on-a-node.ts";
import { onNode } from "../harness/on-the-node.ts";

const FOLDER = "/srv/lifecycle";

/**
 * Replacements, one for one, of names in the vectors that no policy has. `virtd_t` is the type that starts
 * guests; `lookup_t` is the type of the folder in the node's policy.
 */
const WORDS: readonly (readonly [theirs: RegExp, ours: string])[] = [
  [/@DIR@/g, FOLDER],
  [/\borig_t\b/g, "virt_image_t"],
  [/\blookup_t\b/g, "var_t"],
  [/\ba_u:object_r:c_t\b/g, "unconfined_u:object_r:public_content_t"],
  [/\balt_t\b/g, "public_content_rw_t"],
  [/\bvirtd_t:s0-s0:c0\.c1023\b/g, "svirt_manager_t:s0"],
  [/<name>vec<\/name>/g, "<name>life-vec</name>"],
];
/** Vectors that the kernel of a node cannot reproduce, with the reason. */
const LEFT_OUT: ReadonlyMap<string, string> = new Map([
  ["default-no-label-on-file", "a kernel with SELinux takes no label away: the vector runs in memory alone"],
]);
/** XML that keeps a needed label from the guest, or assigns one that its QEMU may not have. */
const STOPPED_BY_POLICY = /relabel='no'|type='none'|type='static'|<source[^>]*><seclabel [^>]*><label>/;

const vectors = readVectors(words).filter(({ name }) => !LEFT_OUT.has(name));
const exceptions = readExceptions(words);
const onTheNode = await onANode();

if (vectors.length === 0) {
  // Not skipped: on a node a skip is a failure, and this is none.
  process.stdout.write("left out: the recorded labels of the reference (SVIRT_TEST_DATA is not set)\n");
} else {
  process.stdout.write(`svirt and the reference differ here:\n${formatExceptions(exceptions)}\n`);
}

for (const vector of vectors) {
  onTheNode(`${vector.name}: as the reference, or as the table of exceptions says`, async () => {
    const seen = seenIn(await onNode(scriptOf(vector)), vector);
    expect(differences(vector.recorded, seen)).toEqual(exceptions.get(vector.name)?.differs ?? {});
  });
}

function words(text: string): string {
  return WORDS.reduce((changed, [theirs, ours]) => changed.replaceAll(theirs, ours), text);
}

function scriptOf({ files, xml }: Vector): string {
  const paths = [...files.keys()].map((file) => `$here/${file}`).join(" ");
  const labels = paths === "" ? "true" : `labels ${paths}`;
  return `
    trap 'echo 1 >/sys/fs/selinux/enforce; refuse_unconfined; rm -rf "$work"' EXIT
    allow_unconfined
    echo ${STOPPED_BY_POLICY.test(xml) ? 0 : 1} >/sys/fs/selinux/enforce
    ${[...files].map(([file, label]) => `${makeFile(file)}; setfattr -n security.selinux -v ${label} $here/${file}`).join("\n")}
    ln -sf a.raw $here/l.raw
    cat >$work/vector.xml <<'XML'\n${xml}\nXML
    note start svirt create $work/vector.xml
    if svirt domid life-vec >/dev/null 2>&1; then
      note process context_of "$(cat /run/svirt/$(svirt domuuid life-vec)/pid)"
      note xml svirt dumpxml life-vec
      note running ${labels}
      svirt destroy life-vec >/dev/null
    fi
    note after ${labels}
    rm -f $here/*.raw $here/*.qcow2 $here/*.txt
  `;
}

/** Makes a file as in the recordings of libvirt. */
function makeFile(file: string): string {
  if (!file.endsWith(".qcow2")) return `truncate -s 1M $here/${file}`;
  const below = new Map([
    ["top.qcow2", "mid.qcow2"],
    ["mid.qcow2", "base.qcow2"],
  ]).get(file);
  const backing = below === undefined ? "" : `-b ${below} -F qcow2`;
  return `(cd $here && qemu-img create -q -f qcow2 ${backing} ${file} ${below === undefined ? "1M" : ""})`;
}

function seenIn(notes: Notes, { files }: Vector): Seen {
  const seen = new Map<string, string>();
  if (notes.has("process")) {
    seen.set("process", outOf(notes, "process"));
    seen.set("seclabel", seclabelIn(outOf(notes, "xml")));
    for (const [what, text] of filesIn(notes, "running")) seen.set(what, text);
  } else {
    const [, said = ""] = /^error: (.*)$/m.exec(noteOf(notes, "start").err) ?? [];
    seen.set("error", said);
  }
  if (files.size > 0) for (const [what, text] of filesIn(notes, "after")) seen.set(what, text);
  return withoutRange(seen);
}

function filesIn(notes: Notes, when: "running" | "after"): [string, string][] {
  const found = parseLabels(outOf(notes, when));
  const attributes = [...found].map(([path, has]) => [
    path.slice(FOLDER.length + 1),
    Object.fromEntries(has),
  ]);
  return seenOfFiles(when, Object.fromEntries(attributes));
}
