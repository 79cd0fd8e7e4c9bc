import type { FileAttributes } from "../../src/host/file-attributes.ts";
import type { FileFacts } from "../../src/host/files.ts";
import type { Host } from "../../src/host/host.ts";
import { makeLinuxHost } from "../../src/host/linux/linux-host.ts";
import type { FileId } from "../../src/plan/facts/file.ts";
import { Machine } from "../memory-host/machine.ts";
import type { Svirt } from "../memory-host/svirt.ts";
import { RealTree } from "./tree.ts";

/**
 * Calls about one file, named by the first argument: a path, a folder with its path, or an inspected file.
 */
const FILE_CALLS = [
  "readText",
  "writeText",
  "stageText",
  "placeText",
  "writeVolatile",
  "removeFile",
  "removeSame",
  "listFolder",
  "makeFolder",
  "assignFolder",
  "removeFolder",
  "makeFile",
  "inspectFile",
  "readBytes",
  "grantAccess",
  "revokeAccess",
  "setOwnership",
] as const satisfies readonly (keyof Host)[];
type FileCall = (typeof FILE_CALLS)[number];

/**
 * A machine in memory, with its processes and its policy, and with some real folders. svirt acts on those by
 * its real calls.
 */
export class RealMachine extends Machine {
  readonly #tree: RealTree;
  readonly #host = makeLinuxHost();

  constructor(folder: string, mounts: readonly string[]) {
    const tree = new RealTree(folder, mounts);
    super(tree);
    this.#tree = tree;
  }

  protected override makeHost(svirt: Svirt): Host {
    const memory = super.makeHost(svirt);
    const routed = FILE_CALLS.map((name) => [name, this.#route(memory, svirt, name)]);
    return { ...memory, ...Object.fromEntries(routed), ...this.#attributeCalls(memory, svirt) };
  }

  #attributeCalls(memory: Host, svirt: Svirt): Pick<Host, "withInspected" | "withAttributes"> {
    const host = this.#host;
    return {
      withInspected: (path, use) => {
        const real = this.#tree.realPath(path);
        if (real === undefined) return memory.withInspected(path, use);
        return host.withInspected(real, (file) => {
          const facts = { ...file.facts, id: this.#namedId(file.facts.id) };
          return use({ facts, ...this.#counted(svirt, path, file) });
        });
      },
      withAttributes: (file, use) => {
        const { path } = file;
        const real = this.#tree.realPath(path);
        if (real === undefined) return memory.withAttributes(file, use);
        return host.withAttributes({ ...file, path: real }, (attributes) =>
          use(this.#counted(svirt, path, attributes)),
        );
      },
    };
  }

  /** Counts each change as one call, at which svirt may be killed. */
  #counted(svirt: Svirt, path: string, file: FileAttributes): FileAttributes {
    return {
      listXattrs: () => file.listXattrs(),
      getXattr: (name) => file.getXattr(name),
      setXattr: (name, value) => {
        const isDone = svirt.call("setXattr", true, () => {
          const isSet = file.setXattr(name, value);
          this.noteContent(this.#tree.get(path));
          return isSet;
        });
        return isDone === true;
      },
      removeXattr: (name) => void svirt.call("removeXattr", true, () => file.removeXattr(name)),
    };
  }

  #route(memory: Host, svirt: Svirt, name: FileCall) {
    return (first: string | { readonly path: string }, ...rest: readonly unknown[]): unknown => {
      const path = typeof first === "string" ? first : first.path;
      const real = this.#tree.realPath(path);
      if (real === undefined) return Reflect.apply(memory[name], memory, [first, ...rest]);
      if (name === "grantAccess" || name === "revokeAccess") this.noteAcl(path, svirt);
      const where = typeof first === "string" ? real : { ...first, path: real };
      const result: unknown = Reflect.apply(this.#host[name], this.#host, [where, ...rest]);
      return this.#named(result);
    };
  }

  /** Returns an answer with its files under the machine's paths. */
  #named(answer: unknown): unknown {
    if (isFacts(answer)) return { ...answer, id: this.#namedId(answer.id) };
    return isFileId(answer) ? this.#namedId(answer) : answer;
  }

  #namedId(id: FileId): FileId {
    return { ...id, path: this.#tree.namedPath(id.path) };
  }
}

function isFacts(answer: unknown): answer is FileFacts {
  return typeof answer === "object" && answer !== null && "id" in answer && isFileId(answer.id);
}

function isFileId(answer: unknown): answer is FileId {
  return typeof answer === "object" && answer !== null && "path" in answer && "inode" in answer;
}
