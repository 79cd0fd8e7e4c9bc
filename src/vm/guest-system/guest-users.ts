import { SvirtError } from "../../errors.ts";
import type { Instance } from "../../state/instance.ts";
import { findRunning } from "../guest/find-domain.ts";
import { askSystem } from "./ask-system.ts";

/** How keys change a user's keys: `reset` replaces them. */
export type KeysChange = "append" | "reset" | "remove";

/** Sets the password of a user of a running guest's system. Throws the errors of askSystem(). */
export async function setUserPassword(
  instance: Instance,
  key: string,
  {
    isEncrypted,
    password,
    user,
  }: { readonly user: string; readonly password: string; readonly isEncrypted: boolean },
): Promise<void> {
  const { guest } = findRunning(instance, key);
  const args = {
    username: user,
    password: Buffer.from(password).toString("base64"),
    crypted: isEncrypted,
  };
  await askSystem({ instance, guest }, "guest-set-user-password", { args });
}

/**
 * Lists the keys with which a user of a running guest's system may log in by SSH. Throws the errors of
 * askSystem().
 */
export async function listAuthorizedKeys(
  instance: Instance,
  key: string,
  user: string,
): Promise<readonly string[]> {
  const { guest } = findRunning(instance, key);
  const args = { username: user };
  return (await askSystem({ instance, guest }, "guest-ssh-get-authorized-keys", { args })).keys;
}

/**
 * Changes the keys of a user's login by SSH. Throws "usage" for a key with a line break, and as askSystem().
 */
export async function changeAuthorizedKeys(
  instance: Instance,
  key: string,
  {
    change,
    keys,
    user,
  }: { readonly user: string; readonly keys: readonly string[]; readonly change: KeysChange },
): Promise<void> {
  const { guest } = findRunning(instance, key);
  if (keys.some((one) => /[\r\n]/.test(one)))
    throw new SvirtError("invalid argument: a key of SSH has more than one line", {
      kind: "usage",
      remedy: "Give each key as one line of authorized_keys.",
    });
  const args = { username: user, keys };
  if (change === "remove") await askSystem({ instance, guest }, "guest-ssh-remove-authorized-keys", { args });
  else
    await askSystem({ instance, guest }, "guest-ssh-add-authorized-keys", {
      args: { ...args, reset: change === "reset" },
    });
}
