import { domainName } from "../domain/forms/text.ts";
import { type OnRefused, SvirtError, unlessRefused } from "../errors.ts";
import type { StepOf } from "../plan/steps/step.ts";
import { hasAutostartMark } from "./autostart-mark.ts";
import type { Instance } from "./instance.ts";
import { replaceStep } from "./text-step.ts";
import { compareNames, ENDING, listXmlFiles, storedUuid } from "./xml-files.ts";

/** Kind of objects that are defined, active, or both, each in a file of its XML. */
export interface XmlKind {
  /** Folder in the folders of configuration and of the boot. */
  readonly folder: "networks" | "nwfilters" | "storage";
  /** Name of an object in messages. */
  readonly noun: string;
  /** Command for storing a definition. */
  readonly defineCommand: string;
}

/** An object, defined, active, or both. */
export interface StoredXml {
  readonly name: string;
  readonly uuid: string;
  /** XML of the definition; undefined for an active object without a definition. */
  readonly defined: string | undefined;
  /** XML of its start; undefined for an inactive object. */
  readonly active: string | undefined;
}

/** An object as the names of its files show it. */
export interface XmlEntry {
  readonly name: string;
  readonly isActive: boolean;
  readonly isAutostarted: boolean;
  readonly isPersistent: boolean;
}

/** File of an object: its active XML, or its definition. */
interface NamedForm {
  readonly name: string;
  readonly form: "active" | "defined";
}

/** Objects of a kind in their files. */
export interface XmlStore {
  /** Lists the defined or active objects, in libvirt's order: ignoring case. */
  listEntries(instance: Instance): readonly XmlEntry[];
  /**
   * Returns undefined if no object of that name exists. Throws "failed" if a file has no <uuid> where svirt
   * writes it.
   */
  read(instance: Instance, name: string): StoredXml | undefined;
  /**
   * Lists all objects whose files svirt has written, and can read. The errors of damaged files go to
   * `onDamaged`.
   */
  list(instance: Instance, onDamaged?: OnRefused): readonly StoredXml[];
  /** Returns the error of a damaged file, with its path and the remedy. */
  damaged(instance: Instance, file: NamedForm, cause: SvirtError): SvirtError;
  /** Records that an object is active, with the XML of its start. The record ends with the boot. */
  writeActive(instance: Instance, name: string, xml: string): void;
  /** Returns the path of an object's active file. */
  activePath(instance: Instance, name: string): string;
  /** Records an object as inactive. */
  removeActive(instance: Instance, name: string): void;
  /** Returns whether an object is marked to start at boot. */
  isAutostarted(instance: Instance, name: string): boolean;
  /** Returns the step that writes the definition, or without XML removes it. */
  defineStep(instance: Instance, name: string, xml: string | undefined): TextStep;
  /** Returns the step by which an object is active with an XML, or without one inactive. */
  activeStep(instance: Instance, name: string, xml: string | undefined): TextStep;
  /**
   * Returns the step that sets or removes the mark of a start at boot, a symlink as in libvirt; none if it is
   * as wanted.
   */
  markSteps(instance: Instance, name: string, wanted: boolean): readonly StepOf<"set-mark">[];
}

type TextStep = StepOf<"replace-text">;

/**
 * Returns the store of a kind: definitions with their marks, which stay, and active objects, which end with
 * the boot.
 */
export function xmlStore(kind: XmlKind): XmlStore {
  const config = ({ paths }: Instance): string => `${paths.config}/${kind.folder}`;
  const active = ({ paths }: Instance): string => `${paths.run}/${kind.folder}`;
  const folders = (instance: Instance): Folders => ({ config: config(instance), active: active(instance) });
  const isMarked = (instance: Instance, name: string): boolean =>
    hasAutostartMark(instance.host, { folder: autostartIn(config(instance)), name });
  const read: XmlStore["read"] = (instance, name) =>
    readStored(instance, { ...kind, ...folders(instance) }, name);
  return {
    listEntries: (instance) => listEntries(instance, folders(instance)),
    read,
    list: (instance, onDamaged) =>
      listEntries(instance, folders(instance)).flatMap(
        ({ name }) => unlessRefused(() => read(instance, name), onDamaged) ?? [],
      ),
    damaged: (instance, file, cause) =>
      damagedFile({ ...kind, ...folders(instance) }, file, { why: cause.message, cause }),
    writeActive: (instance, name, xml) => writeIn(instance, active(instance), { name, xml }),
    activePath: (instance, name) => pathIn(active(instance), name),
    removeActive: (instance, name) => instance.host.removeFile(pathIn(active(instance), name)),
    isAutostarted: isMarked,
    defineStep: (instance, name, xml) => replaceStep(instance.host, pathIn(config(instance), name), xml),
    activeStep: (instance, name, xml) => replaceStep(instance.host, pathIn(active(instance), name), xml),
    markSteps(instance, name, wanted) {
      const wasMarked = isMarked(instance, name);
      if (wasMarked === wanted) return [];
      const path = pathIn(autostartIn(config(instance)), name);
      return [{ do: "set-mark", path, target: `../${name}${ENDING}`, isMarked: wanted, wasMarked }];
    },
  };
}

interface Folders {
  readonly config: string;
  readonly active: string;
}

function listEntries({ host }: Instance, { active, config }: Folders): readonly XmlEntry[] {
  const namesIn = (folder: string): ReadonlySet<string> => new Set(listXmlFiles(host, folder).filter(isName));
  const [defined, started, marked] = [namesIn(config), namesIn(active), namesIn(autostartIn(config))];
  return [...new Set([...defined, ...started])].sort(compareNames).map((name) => ({
    name,
    isActive: started.has(name),
    isAutostarted: defined.has(name) && marked.has(name),
    isPersistent: defined.has(name),
  }));
}

function readStored(instance: Instance, place: XmlKind & Folders, name: string): StoredXml | undefined {
  if (!isName(name)) return undefined;
  const { active, defined } = readTexts(instance, place, name);
  const xml = active ?? defined;
  if (xml === undefined) return undefined;
  const uuid = storedUuid(xml);
  if (uuid !== undefined) return { name, uuid, defined, active };
  const form = active === undefined ? "defined" : "active";
  throw damagedFile(place, { name, form }, { why: "it has no <uuid> at the place where svirt writes it" });
}

function damagedFile(
  { active, config, defineCommand, noun }: XmlKind & Folders,
  { form, name }: NamedForm,
  { cause, why }: { readonly why: string; readonly cause?: SvirtError },
): SvirtError {
  const path = pathIn(form === "active" ? active : config, name);
  return new SvirtError(`Cannot read the ${noun} ${path}: ${why}`, {
    kind: "failed",
    remedy:
      form === "defined"
        ? `Define it: svirt ${defineCommand} ${path}`
        : `End it: rm ${path}, and start it again`,
    cause,
  });
}

/**
 * Whether an object may have this name: any other cannot be defined, and may be another path or too long for
 * a file.
 */
function isName(name: string): boolean {
  return domainName.decode(name) !== undefined;
}

function readTexts(
  { host }: Instance,
  { active, config }: Folders,
  name: string,
): Pick<StoredXml, "active" | "defined"> {
  return { defined: host.readText(pathIn(config, name)), active: host.readText(pathIn(active, name)) };
}

function writeIn(
  { host }: Instance,
  folder: string,
  { name, xml }: { readonly name: string; readonly xml: string },
): void {
  host.makeFolder({ path: folder, mode: 0o700 });
  host.writeText(pathIn(folder, name), xml, 0o600);
}

function autostartIn(config: string): string {
  return `${config}/autostart`;
}

function pathIn(folder: string, name: string): string {
  return `${folder}/${name}${ENDING}`;
}
