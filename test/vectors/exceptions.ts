import { NOTHING } from "./vectors.ts";

/** Deliberate difference between svirt and a vector of libvirt. */
export interface Exception {
  /** Reason. Numbers are those of libvirt's weaknesses, docs/weaknesses.md. */
  readonly because: string;
  /** Value of libvirt and value of svirt, by observation. */
  readonly differs: Record<string, readonly [string, string]>;
}

const CONTENT = "system_u:object_r:virt_content_t:s0";
const SHARED = "system_u:object_r:svirt_image_t:s0";
const PRIVATE = "system_u:object_r:svirt_image_t:s0:cA,cB";
const ORIGINAL = "system_u:object_r:orig_t:s0";
const LABEL = "system_u:system_r:svirt_tcg_t:s0:cA,cB";
const SECLABEL = `<seclabel type='dynamic' model='selinux' relabel='yes'><label>${LABEL}</label><imagelabel>${PRIVATE}</imagelabel></seclabel>`;

const EXCEPTIONS: readonly (readonly [name: string, exception: Exception])[] = [
  ["disk-readonly", givenBack(CONTENT, "a.raw")],
  ["disk-cdrom", givenBack(CONTENT, "a.raw")],
  ["disk-shareable", givenBack(SHARED, "a.raw")],
  ["disk-readonly-and-shareable", givenBack(SHARED, "a.raw")],
  ["disk-override-label-readonly", givenBack("a_u:object_r:c_t:s0", "a.raw")],
  ["chain", givenBack(CONTENT, "base.qcow2", "mid.qcow2")],
  ["chain-readonly", givenBack(CONTENT, "base.qcow2", "mid.qcow2", "top.qcow2")],
  ["chain-override-label", givenBack("system_u:object_r:alt_t:s0", "base.qcow2", "mid.qcow2")],
  ["chain-static-relabel-yes", givenBack(CONTENT, "base.qcow2", "mid.qcow2")],
  [
    "default-no-label-on-file",
    {
      because:
        "5: svirt looks the label up when it takes the file, so that a crash in between changes nothing",
      differs: {
        "running a.raw remembered": [NOTHING, "system_u:object_r:lookup_t:s0"],
        "running a.raw users": [NOTHING, "1"],
      },
    },
  ],
  [
    "serial-file-override-no",
    {
      because: "6, 8: the reference labels the file although its XML says relabel='no', and leaves it so",
      differs: { "running s.txt": [PRIVATE, ORIGINAL], "after s.txt": [PRIVATE, ORIGINAL] },
    },
  ],
  [
    "disk-override-labelskip-input",
    {
      because: "8: the reference reads labelskip over",
      differs: {
        ...notStarted(
          "Cannot read /domain/devices/disk/source/seclabel/@labelskip in line 3: svirt labels every file that can have a label",
        ),
        "running a.raw": [PRIVATE, NOTHING],
        "running a.raw remembered": [ORIGINAL, NOTHING],
        "running a.raw users": ["1", NOTHING],
      },
    },
  ],
  [
    "domain-relabel-weird",
    {
      because:
        "the same refusal in the words that svirt has for every attribute: with its line and what may stand there",
      differs: {
        error: [
          "XML error: Invalid value for attribute 'relabel' in element 'seclabel': 'maybe'.",
          'Cannot read /domain/seclabel/@relabel in line 3: "maybe" is not one of "yes", "no"',
        ],
      },
    },
  ],
  [
    "domain-static-no-range",
    {
      because: "the same refusal, without the errno of a call that did not fail",
      differs: {
        error: [
          "unable to get selinux context range: Success",
          "Cannot use the static label system_u:system_r:svirt_t: unable to get selinux context range, it has none",
        ],
      },
    },
  ],
];

/** Returns the table, with some words of the recordings replaced by `words`. */
export function readExceptions(words: (text: string) => string): ReadonlyMap<string, Exception> {
  return new Map(JSON.parse(words(JSON.stringify(EXCEPTIONS))) as typeof EXCEPTIONS);
}

/** Formats the table: a line for each vector, and one for each difference. */
export function formatExceptions(exceptions: ReadonlyMap<string, Exception>): string {
  return [...exceptions]
    .flatMap(([name, { because, differs }]) => [
      `${name}: ${because}`,
      ...Object.entries(differs).map(([what, [theirs, ours]]) => `  ${what}: ${theirs} => ${ours}`),
    ])
    .join("\n");
}

/** Returns the exception for files that libvirt neither remembers nor restores: shared and read-only ones. */
function givenBack(label: string, ...files: readonly string[]): Exception {
  return {
    because: "6: the reference never restores what guests share or only read",
    differs: Object.fromEntries(
      files.flatMap((file) => [
        [`running ${file} remembered`, [NOTHING, ORIGINAL] as const],
        [`running ${file} users`, [NOTHING, "1"] as const],
        [`after ${file}`, [label, ORIGINAL] as const],
      ]),
    ),
  };
}

function notStarted(error: string): Exception["differs"] {
  return { error: [NOTHING, error], process: [LABEL, NOTHING], seclabel: [SECLABEL, NOTHING] };
}
