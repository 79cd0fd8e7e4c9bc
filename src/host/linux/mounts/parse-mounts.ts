/** A mount as the kernel lists it. */
interface MountLine {
  readonly id: string;
  readonly device: string;
  readonly path: string;
  readonly type: string;
  readonly source: string;
  /** Options of the file system. */
  readonly options: string;
  /** Label of all files, if they have none of their own. */
  readonly context: string | undefined;
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
      const named = { path: unescapedName(path), source: unescapedName(source) };
      return { id, device, type, ...named, options, context: contextOf(options) };
    });
}

/**
 * The kernel quotes a context with a comma, as that of a pair of categories. show_sid() in
 * security/selinux/hooks.c of Linux
 */
function contextOf(options: string): string | undefined {
  const [, quoted, plain] = /(?:^|,)context=(?:"([^"]*)"|([^,]*))/.exec(options) ?? [];
  return quoted ?? plain;
}

/** Decodes blanks and backslashes, written by the kernel as octal numbers. */
export function unescapedName(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
