/**
 * `cargo xtask dev` as a person runs it, with a folder of its own for state and secrets.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Api } from './api.mjs';
import { freePort } from './freePort.mjs';
import { ROOT, TARGET } from './paths.mjs';
import { deadline } from './until.mjs';

/** The build tool, already compiled: going through cargo would only check that again. */
const XTASK = process.env.XTASK ?? `${TARGET}/debug/xtask`;
const READY_MS = 60_000;

export class DevServer {
  #home = mkdtempSync(join(tmpdir(), 'endcap-dev-'));
  #port = 0;
  /** @type {import('node:child_process').ChildProcess | undefined} */
  #process;
  #flags;

  /** @param {string[]} flags */
  constructor(flags) {
    this.#flags = flags;
  }

  /** Starts it on a free port and waits for its last line. @param {...string} flags Options besides those that isolate it. */
  static async start(...flags) {
    if (!existsSync(XTASK)) throw new Error(`${XTASK} is missing: run \`cargo xtask build\` first`);
    const server = new DevServer(flags);
    server.#port = await freePort();
    await server.start();
    return server;
  }

  /** The folder of its state and secrets. */
  get home() {
    return this.#home;
  }

  get origin() {
    return `http://127.0.0.1:${this.#port}`;
  }

  get api() {
    const { ENDCAP_API_KEY } = JSON.parse(readFileSync(join(this.#home, 'dev.json'), 'utf8'));
    return new Api(this.origin, ENDCAP_API_KEY);
  }

  /**
   * @param {string} path
   * @param {RequestInit} [init]
   */
  fetch(path, init) {
    return fetch(this.origin + path, init);
  }

  /** Starts it again, on the same port and state. Resolves once it says that it is ready. */
  async start() {
    const flags = ['dev', '--no-watch', '--home', this.#home, '--port', String(this.#port), ...this.#flags];
    const child = spawn(XTASK, flags, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#process = child;
    let said = '';
    child.stderr.on('data', (data) => (said += data));
    const ready = new Promise((resolve, reject) => {
      createInterface({ input: child.stdout }).on('line', (line) => {
        if (line === `ready ${this.origin}`) resolve(undefined);
      });
      child.once('exit', (code) => reject(new Error(`xtask dev ended with ${code}:\n${said}`)));
    });
    await deadline(ready, 'the ready line', READY_MS);
  }

  /** Kills the tool alone with SIGKILL, in whatever it is doing. */
  async kill() {
    const child = /** @type {import('node:child_process').ChildProcess} */ (this.#process);
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  /** Kills the tool, the runtime and all, at once, as a machine that loses its power would. */
  async killAll() {
    const { server } = JSON.parse(readFileSync(join(this.#home, 'run.json'), 'utf8'));
    process.kill(-server, 'SIGKILL');
    await this.kill();
  }

  /** Ends it as Ctrl-C does, and forgets its state. */
  async stop() {
    const child = this.#process;
    if (child && child.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit');
      child.kill('SIGINT');
      await deadline(ended, 'xtask dev ends at Ctrl-C', 15_000).catch(() => child.kill('SIGKILL'));
    }
    rmSync(this.#home, { recursive: true, force: true, maxRetries: 5 });
  }
}
