module.exports = {
  telealarm: {
    input: { target: process.env.DOCUMENT },
    output: { target: process.env.TARGET, client: "fetch", baseUrl: process.env.ORIGIN },
  },
};
