/** A mount as the kernel lists it. */
interface MountLine {
  readonly id: string;
  readonly device: string;
  readonly path: string;
  readonly type: string;
  readonly source: string;
  /** Options of the file system. */
  readonly options: string;
}

/** Returns the mounts of a process in the kernel's order. proc_pid_mountinfo(5) */
export function parseMounts(text: string): readonly MountLine[] {
  return text
    .split("\n")
    .filter((line) => line.includes(" - "))
    .map((line) => {
      const [mount = "", kind = ""] = line.split(" - ");
      const [id = "", , device = "", , path = ""] = mount.split(" ");
      const [type = "", source = "", options = ""] = kind.split(" ");
      return { id, device, path: unescapedName(path), type, source: unescapedName(source), options };
    });
}

/** Decodes blanks and backslashes, which the kernel writes as octal numbers. */
export function unescapedName(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
