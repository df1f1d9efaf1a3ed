using System.CommandLine;
using System.Net;
using Slipway.Gateway.Control;
using Slipway.Gateway.Protocol;
using Slipway.Primitives.Faults;
using Slipway.Trust.Signing;

namespace Slipway.Cli;

/// <summary>What the verbs that run a gateway have in common.</summary>
internal sealed class GatewaySetup
{
    /// <summary>As OpenTelemetry's specification names it.</summary>
    private const string OtlpVariable = "OTEL_EXPORTER_OTLP_ENDPOINT";

    private readonly TrustOptions trust = new();
    private readonly Option<string?> otlp = new("--otlp") { Description = $"Where traces and metrics are sent to by OTLP over HTTP; default: {OtlpVariable}, or nowhere", HelpName = "URL" };
    private readonly Option<string?> captureKey = new("--capture-key") { Description = "Public key that captured requests are sealed for, where a plan asks for them; default: nothing is captured", HelpName = "FILE.pub" };
    private readonly ServingLimits limits = new();

    public void AddTo(Command verb)
    {
        trust.AddTo(verb);
        verb.Options.Add(captureKey);
        limits.AddTo(verb);
        verb.Options.Add(otlp);
    }

    /// <summary>Whom a gateway believes: as every verb that verifies.</summary>
    /// <exception cref="SlipwayException">A file is missing or unusable (exit 2, 3), or there is nobody (exit 3).</exception>
    public BundleTrust Trusted(ParseResult parsed, Shell shell) =>
        trust.Read(parsed, shell) is { Policy.IsEmpty: false } trusted ? trusted
            : throw new SlipwayException(ExitCode.NotThere, new Fault("no-trusted-key", "there is no trusted key: a gateway could verify nothing", Help: "name the signer's with `--key FILE.pub`; on a machine that seals as well, `slipway keys new` makes one"));

    /// <summary>The person's own keys that the gateway believes, where nobody else is named.</summary>
    public KeyRing OwnKeys(ParseResult parsed, BundleTrust trusted) => trust.IsStanding(parsed)
        ? KeyRing.Of(KeyFolder.Trusted([]).Keys.Where(key => trusted.Policy.Keys.Find(key.KeyId) is not null && !trusted.Policy.Revoked.Any(revoked => revoked.Subject.Hex == key.KeyId)))
        : KeyRing.Of();

    /// <param name="name">Null for one that is the same at every start on this machine.</param>
    /// <exception cref="SlipwayException">A key or a URL is unusable (exit 2), or no key is there (exit 3); the gateway checks the rest.</exception>
    public GatewayOptions Read(ParseResult parsed, Shell shell, string channel, string? name, string folder, Uri server, string token, IPAddress address, int port)
    {
        var serving = limits.Apply(parsed, new InferenceOptions { Address = address, Port = port, OtlpEndpoint = OtlpEndpoint(parsed.GetValue(otlp)) });
        var trusted = Trusted(parsed, shell);
        var options = new GatewayOptions
        {
            Name = name ?? DefaultName(channel),
            Channel = channel,
            Folder = folder,
            Server = server,
            Token = token,
            Trusted = trusted.Policy,
            Evidence = trusted.Evidence,
            CaptureKey = parsed.GetValue(captureKey) is { } recipient ? VerificationKey.Load(recipient) : null,
            Serving = serving,
            Log = line => shell.Note($"{channel}: {line}"),
        };
        // A model that may take longer for callers is not hung before that.
        return serving.RequestLimit > options.PredictionLimit ? options with { PredictionLimit = serving.RequestLimit } : options;
    }

    private static Uri? OtlpEndpoint(string? given) =>
        (given ?? Environment.GetEnvironmentVariable(OtlpVariable)) is not { Length: > 0 } text ? null
        : Uri.TryCreate(text, UriKind.Absolute, out var url) ? url
        : throw new SlipwayException(ExitCode.UnusableInput, new Fault("bad-otlp-endpoint", $"the OTLP endpoint is '{text}', allowed is a URL such as http://localhost:4318"));

    private static string DefaultName(string channel) =>
        $"{new string([.. Environment.MachineName.Take(80).Select(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' ? c : '-')])}-{channel}";
}
