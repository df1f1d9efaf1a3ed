using System.CommandLine;
using System.Net;
using Slipway.Gateway.Control;
using Slipway.Gateway.Protocol;
using Slipway.Primitives.Faults;
using Slipway.Trust.Signing;

namespace Slipway.Cli;

/// <summary>What the verbs that run a gateway have in common.</summary>
internal static class GatewaySetup
{
    /// <summary>As OpenTelemetry's specification names it.</summary>
    private const string OtlpVariable = "OTEL_EXPORTER_OTLP_ENDPOINT";

    public static Option<string?> OtlpOption() => new("--otlp") { Description = $"Where traces and metrics are sent to by OTLP over HTTP; default: {OtlpVariable}, or nowhere", HelpName = "URL" };

    /// <exception cref="SlipwayException">No URL (exit 2).</exception>
    public static Uri? OtlpEndpoint(string? given) =>
        (given ?? Environment.GetEnvironmentVariable(OtlpVariable)) is not { Length: > 0 } text ? null
        : Uri.TryCreate(text, UriKind.Absolute, out var url) ? url
        : throw new SlipwayException(ExitCode.UnusableInput, new Fault("bad-otlp-endpoint", $"the OTLP endpoint is '{text}', allowed is a URL such as http://localhost:4318"));

    /// <summary>A gateway's name, where none is given: the same at every start on this machine.</summary>
    public static string DefaultName(string channel) =>
        $"{new string([.. Environment.MachineName.Take(80).Select(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' ? c : '-')])}-{channel}";

    /// <summary>The keys that a gateway believes: those named, or the person's own.</summary>
    /// <exception cref="SlipwayException">There is none (exit 3).</exception>
    public static KeyRing TrustedKeys(string[] named) =>
        KeyFolder.Trusted(named) is { IsEmpty: false } keys ? keys
        : throw new SlipwayException(ExitCode.NotThere, new Fault("no-trusted-key", "there is no trusted key: a gateway could verify nothing", Help: "make one with `slipway keys new`, or name the signer's with `--key FILE.pub`"));

    public static GatewayOptions Options(Shell shell, string name, string channel, string folder, Uri server, string token, KeyRing keys, IPAddress address, int port, Uri? otlp) => new()
    {
        Name = name,
        Channel = channel,
        Folder = folder,
        Server = server,
        Token = token,
        TrustedKeys = keys,
        Serving = new InferenceOptions { Address = address, Port = port, OtlpEndpoint = otlp },
        Log = line => shell.Note($"{channel}: {line}"),
    };
}
