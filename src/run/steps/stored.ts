import { SvirtError } from "../../errors.ts";
import type { Host } from "../../host/host.ts";
import { folderOf } from "../../plan/folder-of.ts";
import type { StepOf } from "../../plan/steps/step.ts";
import type { ShownStep, StoredStep } from "../../plan/steps/stored.ts";
import { resolveReferences } from "../../xml/references.ts";
import { removePart } from "../remove-text.ts";
import type { Runs } from "./step-effects.ts";

/** Folders and files of svirt's own are root's alone. */
const [FOLDER_MODE, FILE_MODE] = [0o700, 0o600];

/** Effects of the steps on files in which svirt stores objects. */
export const runStored: Runs<StoredStep> = {
  "replace-text": ({ host }, step) => replaceText(host, step),
  "set-mark": ({ host }, step) => setMark(host, step),
  "set-secret": ({ host, secret }, { path }) => setSecret(host, path, secret),
  "copy-secret": ({ host }, step) => copySecret(host, step),
};

/** Reports whether a file has the content, or the mark is as, that the step wants. */
export function hasEffect(host: Host, step: ShownStep): boolean {
  if (step.do === "set-mark") return isMarked(host, step.path) === step.isMarked;
  const now = host.readText(step.path);
  return now === step.to || (now !== step.from && hasNames(now, step.names));
}

/** Reports whether a text, perhaps changed since, has all of these paths as attributes. */
function hasNames(text = "", names: readonly string[] = []): boolean {
  if (names.length === 0) return false;
  const plain = resolveReferences(text);
  return typeof plain === "string" && names.every((name) => plain.includes(`'${name}'`));
}

/** A file that was changed or removed by hand since the plan was made stays as it is. */
function replaceText(host: Host, { from, path, to }: StepOf<"replace-text">): void {
  const now = host.readText(path);
  // Writes an equal text again: the new file tells clients of events about a repeated definition.
  if (now === to && from !== to) {
    removePart(host, path);
    return;
  }
  if (now !== from) return;
  if (to === undefined) {
    host.removeFile(path);
    return;
  }
  writeOwn(host, path, to);
}

function setMark(host: Host, step: StepOf<"set-mark">): void {
  const { path, target } = step;
  if (isMarked(host, path) === step.isMarked) return;
  if (!step.isMarked) {
    host.removeFile(path);
    return;
  }
  host.makeFolder({ path: folderOf(path), mode: FOLDER_MODE });
  host.makeSymlink(path, target);
}

/** Reports whether there is a link of that path. Its definition may be missing. */
function isMarked(host: Host, path: string): boolean {
  return host.listFolder(folderOf(path)).includes(path.slice(path.lastIndexOf("/") + 1));
}

/** Writes a value in Base64, as libvirt does. Throws "failed" without the value: only its command has it. */
function setSecret(host: Host, path: string, value: Uint8Array | undefined): void {
  if (value === undefined) {
    throw new SvirtError(`Cannot write ${path}: the value of the secret was not kept`, {
      kind: "failed",
      from: "SECRET",
      remedy: "Set the value again: svirt secret-set-value",
    });
  }
  writeOwn(host, path, value.toBase64());
}

function copySecret(host: Host, { from, to }: StepOf<"copy-secret">): void {
  const value = host.readText(from);
  if (value !== undefined) writeOwn(host, to, value);
}

function writeOwn(host: Host, path: string, text: string): void {
  host.makeFolder({ path: folderOf(path), mode: FOLDER_MODE });
  host.writeText(path, text, FILE_MODE);
}
