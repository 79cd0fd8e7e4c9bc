import type { IothreadUse } from "../../domain/forms/iothread-mapping.ts";
import { listIothreads } from "../../domain/machine/list-iothreads.ts";
import { type Arguments, jsonArguments } from "../argument/argument.ts";
import type { Guest } from "../model/guest.ts";

/**
 * Formats -object for each I/O thread, and for the main loop's pool. qemuBuildIOThreadCommandLine() of
 * libvirt
 */
export function formatIothreads({ domain }: Guest): Arguments {
  const threads = listIothreads(domain).flatMap(({ id, threadPoolMin, threadPoolMax, poll }) =>
    jsonArguments("-object", {
      "qom-type": "iothread",
      id: `iothread${id}`,
      "thread-pool-min": threadPoolMin,
      "thread-pool-max": threadPoolMax,
      "poll-max-ns": poll?.max,
      "poll-grow": poll?.grow,
      "poll-shrink": poll?.shrink,
    }),
  );
  const main = domain.defaultIothread;
  if (main === undefined) return threads;
  const loop = { "thread-pool-min": main.threadPoolMin, "thread-pool-max": main.threadPoolMax };
  return [...threads, ...jsonArguments("-object", { "qom-type": "main-loop", id: "main-loop", ...loop })];
}

/** Returns the key of -device for an I/O thread. */
export function iothreadKey(use: IothreadUse | undefined): { readonly iothread?: string } {
  return use?.iothread === undefined ? {} : { iothread: `iothread${use.iothread}` };
}

/** Returns the key of -device for several I/O threads. qemuBuildIothreadMappingProps() of libvirt */
export function iothreadMappingKey(use: IothreadUse | undefined): object {
  if (use?.iothreads === undefined) return {};
  const mapping = use.iothreads.threads.map(({ id, queues }) => ({
    iothread: `iothread${id}`,
    ...(queues.length === 0 ? {} : { vqs: queues.map((queue) => queue.id) }),
  }));
  return { "iothread-vq-mapping": mapping };
}
