import { asSvirtError } from "../../../errors.ts";
import type { DataStream, Piece } from "../../../host/channels.ts";
import type { FilePart } from "../../../host/new-file.ts";
import type { FileId } from "../../../plan/facts/file.ts";
import type { Instance } from "../../../state/instance.ts";
import type { Unfinished } from "../../../state/unfinished-schema.ts";
import { type OpenNote, openNote, whileNoted } from "../../object-change/noted-work.ts";

type VolumeWork = Extract<Unfinished, { readonly kind: "volume" }>;

/** Command to overwrite a volume, and the part of it replaced by an upload. */
interface Overwriting extends Pick<VolumeWork, "command"> {
  readonly part?: Pick<FilePart, "mostBytes" | "offset">;
}

/**
 * Overwrites a volume. A kill leaves it written in part, and its note says so; so does an error of the disk.
 * Any other error removes the note: it comes before the first byte, or tells the caller.
 */
export async function whileOverwriting(
  instance: Instance,
  file: FileId,
  { work, ...how }: Overwriting & { work(): Promise<void> },
): Promise<void> {
  await whileNoted(instance, noteOf(file, how), async ({ begin, keep }) => {
    begin();
    try {
      await work();
    } catch (error) {
      if (asSvirtError(error).kind === "host-call") keep();
      throw error;
    }
  });
}

/**
 * Opens a stream into a volume, with its note. A stream closed before its end, or with an error,
 * leaves the volume written in part.
 */
export async function openOverwriting(
  instance: Instance,
  file: FileId,
  { open, ...how }: Overwriting & { open(): Promise<DataStream> },
): Promise<DataStream> {
  const note = await openNote(instance, noteOf(file, how));
  try {
    return new NotedStream(await open(), note);
  } catch (error) {
    note.close("undone");
    throw error;
  }
}

function noteOf({ inode, node, path }: FileId, { command, part }: Overwriting): VolumeWork {
  return {
    kind: "volume",
    format: 1,
    command,
    path,
    ...(node === undefined ? { inode } : {}),
    ...(part === undefined ? {} : { part: partOf(part) }),
  };
}

function partOf({ mostBytes, offset }: Pick<FilePart, "mostBytes" | "offset">): VolumeWork["part"] & {} {
  return { offset, ...(mostBytes === undefined ? {} : { mostBytes }) };
}

/** Stream into a volume, whose note is begun by the first data. */
class NotedStream implements DataStream {
  readonly #stream: DataStream;
  readonly #note: OpenNote;
  #state: "empty" | "in part" | "done" | "closed" = "empty";

  constructor(stream: DataStream, note: OpenNote) {
    this.#stream = stream;
    this.#note = note;
  }

  async put(piece: Piece): Promise<void> {
    if (this.#state === "empty") {
      this.#note.begin();
      this.#state = "in part";
    }
    await this.#stream.put?.(piece);
  }

  async finish(): Promise<void> {
    await this.#stream.finish?.();
    if (this.#state !== "closed") this.#state = "done";
  }

  async close(): Promise<void> {
    const state = this.#state;
    this.#state = "closed";
    await this.#stream.close();
    if (state !== "closed") this.#note.close(state === "empty" ? "undone" : state);
  }
}
