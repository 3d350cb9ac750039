// The one kind of error that the package throws, and the errors of runtimes, which clients make it of.

/** An error whose `code` names its kind; index.d.ts lists the codes. */
export class RadioError extends Error {
  /** @param {{ code: string, message: string, field?: string, reason?: string }} cause */
  constructor({ code, message, field, reason }) {
    super(message);
    this.name = 'RadioError';
    this.code = code;
    this.field = field;
    this.reason = reason;
  }
}

/**
 * The words of whatever was thrown.
 * @param {unknown} thrown
 * @returns {string}
 */
export const messageOf = (thrown) => (thrown instanceof Error ? thrown.message : String(thrown));

/**
 * An error of a runtime.
 * @param {string} code
 * @param {string} message
 */
export const failure = (code, message) => Object.assign(new Error(message), { code });

/**
 * The code of whatever was thrown, where it has one.
 * @param {unknown} thrown
 * @returns {string | undefined}
 */
export const codeOf = (thrown) => /** @type {{ code?: string }} */ (thrown).code;
