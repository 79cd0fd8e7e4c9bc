import type { Host } from "../../host/host.ts";
import type { Step } from "../../plan/steps/step.ts";

type StepOf<Name extends Step["do"]> = Extract<Step, { do: Name }>;

/** Only its owner looks into it. */
const MODE = 0o700;

/** Made if it is not there yet. */
export function lendFolder(host: Host, { label, path, uid }: StepOf<"lend-folder">): void {
  host.makeFolder({ path, mode: MODE, uid: 0 });
  host.giveFolder(path, { uid, ...(label === undefined ? {} : { label }) });
}

/** Its user may have given it another mode. One that is gone is left alone. */
export function returnFolder(host: Host, { label, path }: StepOf<"return-folder">): void {
  if (host.inspectFile(path)?.type !== "folder") return;
  host.giveFolder(path, { uid: 0, mode: MODE, ...(label === undefined ? {} : { label }) });
}
