/** An error whose `code` names its kind; index.d.ts lists the codes. */
export class RadioError extends Error {
  constructor({ code, message }) {
    super(message);
    this.name = 'RadioError';
    this.code = code;
  }
}
