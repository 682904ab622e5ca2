const { DOCUMENT, FOLDER, ORIGIN } = process.env;

const client = (client, file) => ({
  input: { target: DOCUMENT },
  output: { target: `${FOLDER}/${file}.ts`, client, baseUrl: ORIGIN },
});

module.exports = {
  fetch: client("fetch", "api"),
  axios: client("axios", "axios"),
  zod: client("zod", "zod"),
};
