import type { Instance } from "../state/instance.ts";

/**
 * Returns the instance with a host that reads claims, texts and contexts of processes once, for the checks of
 * many files. Claims stay the same as long as the registry's lock is held, and nothing else in these checks
 * is surer for being read again for each file.
 */
export function stillInstance(instance: Instance): Instance {
  const { host, paths } = instance;
  const listOnce = onceFor(host.listFolder);
  const claims = `${paths.state}/claims/file`;
  const within = `${claims}/`;
  const claimed = once(() => new Set(listOnce(claims)));
  return {
    ...instance,
    host: {
      ...host,
      readText: onceFor(host.readText),
      // Most files have no claim: a single listing of the folder above says so for all of them.
      listFolder: (path) =>
        path.startsWith(within) && !claimed().has(path.slice(within.length)) ? [] : listOnce(path),
      listContexts: once(host.listContexts),
      getSelinux: once(host.getSelinux),
      getMachine: once(host.getMachine),
      getUid: once(host.getUid),
    },
  };
}

function once<Result>(ask: () => Result): () => Result {
  const answers = onceFor<undefined, Result>(ask);
  return () => answers(undefined);
}

function onceFor<Key, Result>(ask: (key: Key) => Result): (key: Key) => Result {
  const answers = new Map<Key, { readonly answer: Result }>();
  return (key) => {
    const { answer } = answers.get(key) ?? { answer: ask(key) };
    answers.set(key, { answer });
    return answer;
  };
}
