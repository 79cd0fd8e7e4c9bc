import { SvirtError } from "../../../errors.ts";

const DEFAULT_EDITOR = "vi";
/** A program and its options. No shell reads them, so shell syntax is refused rather than misread. */
const EDITOR = /^[A-Za-z0-9/_.:@+=,-][A-Za-z0-9/_.:@+=, -]*$/;

/** Implements Host.editFile. environ(7) VISUAL, EDITOR */
export async function editFile(path: string): Promise<void> {
  const editor = [process.env["VISUAL"], process.env["EDITOR"], DEFAULT_EDITOR].find(
    (name) => (name ?? "") !== "",
  );
  const words = splitEditor(editor ?? DEFAULT_EDITOR);
  // Ctrl-C belongs to the editor.
  const ignore = (): void => undefined;
  process.on("SIGINT", ignore);
  try {
    const child = Bun.spawn([...words, path], { stdio: ["inherit", "inherit", "inherit"] });
    const code = await child.exited;
    if (code !== 0) throw notEdited(words, `it ended with ${child.signalCode ?? code}`);
  } catch (error) {
    if (error instanceof SvirtError) throw error;
    throw notEdited(words, error instanceof Error ? error.message : String(error));
  } finally {
    process.off("SIGINT", ignore);
  }
}

function splitEditor(text: string): readonly string[] {
  if (EDITOR.test(text)) return text.trim().split(/ +/);
  throw new SvirtError(`Cannot run the editor '${text}': svirt does not run editors through a shell`, {
    kind: "usage",
    remedy: "Set EDITOR to a program with options only: EDITOR='vim -n'",
  });
}

function notEdited(words: readonly string[], why: string): SvirtError {
  return new SvirtError(`Cannot edit with ${words.join(" ")}: ${why}`, {
    kind: "failed",
    remedy: "Set EDITOR to an installed editor that runs in the foreground: EDITOR=vi",
  });
}
