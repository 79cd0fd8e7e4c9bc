/** Exit codes of src/errors.ts and their meanings. */
export const EXIT_CODES: readonly (readonly [code: number, meaning: string])[] = [
  [0, "done, or already so"],
  [1, "failed; for audit and doctor: something was found"],
  [2, "usage, or XML that cannot be read or is not supported"],
  [3, "not found"],
  [4, "wrong state: the domain is off, or runs"],
  [5, "denied, or taken by another guest"],
  [6, "no answer in time"],
  [
    7,
    "partly: some guests could not be recovered or started, or a guest still holds a resource that it should have released",
  ],
];

/** Files and folders for the manual. */
export const FILES: readonly (readonly [path: string, what: string])[] = [
  ["/etc/svirt/domains/NAME.xml", "definitions"],
  ["/etc/svirt/svirt.conf", "settings: security_require_confined = 0 or 1"],
  ["/var/lib/svirt/", "records of running guests, and the holders of levels, users and files"],
  ["/run/svirt/UUID/", "a running guest's monitor and own folder"],
  ["/var/log/svirt/NAME.log", "what QEMU said"],
];

/** Sentence above the list of virsh's commands that svirt does not have. */
export const MISSING_INTRO =
  "svirt has no command of these names. Most of their calls are not answered either.";

/** Sentence above the list of virsh's options that svirt's commands do not have. */
export const LACKING_INTRO =
  "svirt's commands of these names refuse these options of virsh. Other operands and options have virsh's names.";
