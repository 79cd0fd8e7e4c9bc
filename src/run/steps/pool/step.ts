import { errorsOfWork, SvirtError } from "../../../errors.ts";
import type { PoolStep } from "../../../plan/steps/pool.ts";
import type { Runs } from "../step-effects.ts";
import { dropPoolFolder, makePoolFolder, restorePoolPermissions, setPoolPermissions } from "./folder.ts";
import { logIn, logOut, prepareLogin, setPassword } from "./iscsi-login.ts";
import { makeFileSystem } from "./make-file-system.ts";
import { mountPool, unmountPool } from "./mount.ts";
import { runTool } from "./run-tool.ts";

/** Effects of the steps on the storage of pools. */
export const runPool: Runs<PoolStep> = {
  "make-pool-folder": ({ host }, step) => makePoolFolder(host, step),
  "drop-pool-folder": (actor, { path }) => dropPoolFolder(actor, path),
  "remove-pool-folder": ({ host }, { folder }) => host.removeEmptyFolder(folder),
  "set-pool-permissions": ({ host }, step) => setPoolPermissions(host, step),
  "restore-pool-permissions": restorePoolPermissions,
  "run-tool": async ({ host }, { mayFail, ...command }) => {
    const run = async (): Promise<void> => await runTool(host, command);
    if (mayFail === true) await errorsOfWork(run);
    else await run();
  },
  "make-file-system": async ({ host }, step) => await makeFileSystem(host, step),
  "prepare-login": async ({ host }, step) => await prepareLogin(host, step),
  "set-iscsi-password": ({ host, passwords }, { user, ...target }) => {
    const password = passwords?.get(target.name);
    if (password === undefined) throw withoutPassword(target.name);
    setPassword(host, target, { user, password });
  },
  "log-in-target": async ({ host, onSession }, target) => await logIn(host, target, onSession),
  "log-out-target": async ({ host }, target) => await logOut(host, target),
  "mount-pool": mountPool,
  "unmount-pool": async ({ host }, step) => await unmountPool(host, step),
};

function withoutPassword(target: string): SvirtError {
  return new SvirtError(`Cannot log in to ${target}: its password is missing`, {
    kind: "failed",
    remedy: "Repeat the command.",
  });
}
