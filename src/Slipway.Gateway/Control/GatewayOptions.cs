using System.Text;
using Slipway.Documents.Rollouts;
using Slipway.Gateway.Protocol;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Processes;
using Slipway.Trust.Policies;
using Slipway.Trust.Signing;
using Slipway.Trust.Verification;

namespace Slipway.Gateway.Control;

/// <summary>How a gateway runs: which channel of which server it serves, whom it believes, and where it keeps what it has.</summary>
public sealed record GatewayOptions
{
    /// <summary>Of this gateway alone, and the same at every start: events and reports go under it. Letters, digits, '.', '_' and '-', at most 100.</summary>
    public required string Name { get; init; }

    /// <summary><c>staging</c> or <c>production</c>.</summary>
    public required string Channel { get; init; }

    /// <summary>Bundles, the last known good state and notes of crashes; for one gateway at a time. Made when missing.</summary>
    public required string Folder { get; init; }

    /// <summary>The server's address, http or https, without a path.</summary>
    public required Uri Server { get; init; }

    /// <summary>Proves to the server that this is a gateway. Never in a log or a message.</summary>
    public required string Token { get; init; }

    /// <summary>Whose word is believed, with revocations; at least one signer. A bundle that does not meet it is refused, whatever the server says.</summary>
    public required TrustPolicy Trusted { get; init; }

    /// <summary>What ledgers of the policy know of attestations: trusted times. Default: none.</summary>
    public IReadOnlyCollection<LedgerEvidence> Evidence { get; init; } = [];

    /// <summary>
    /// Public half of the key that captured requests are sealed for; null captures nothing, whatever a plan asks for. Best one whose private half
    /// is on neither the gateway nor the server.
    /// </summary>
    public VerificationKey? CaptureKey { get; init; }

    /// <summary>Where predictions are answered, and within which limits.</summary>
    public InferenceOptions Serving { get; init; } = new();

    /// <summary>The command that tries an ONNX model in a throw-away child. Default: this program with the verb <c>onnx-probe</c>.</summary>
    public IReadOnlyList<string> Probe { get; init; } = ChildCommand.ThisProgram("onnx-probe");

    /// <summary>From the start of a model's process, or of a first load, to its readiness. Default 60 s; more than zero.</summary>
    public TimeSpan StartLimit { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>For one prediction, without the waiting for a place. Default 10 s; more than zero.</summary>
    public TimeSpan PredictionLimit { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Predictions of one version that run at once. Default: the number of processors; at least 1.</summary>
    public int Concurrency { get; init; } = Environment.ProcessorCount;

    /// <summary>Told in sentences what happens, never with data of a request. Default: nobody.</summary>
    public Action<string> Log { get; init; } = static _ => { };

    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <exception cref="SlipwayException">Something is out of range (exit 2): every fault at once.</exception>
    internal void Validate()
    {
        var faults = new List<Fault>();
        if (Name.Length is 0 or > 100 || !Name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-'))
            faults.Add(new Fault("bad-gateway-name", $"the gateway's name is '{Name}', allowed are letters, digits, '.', '_' and '-', 1 to 100 of them"));
        if (ChannelName.Check(Channel) is { } noChannel)
            faults.Add(noChannel);
        if (Server is not { IsAbsoluteUri: true, Scheme: "http" or "https", UserInfo: "" })
            faults.Add(new Fault("bad-server", $"'{Server.OriginalString}' is no server's address, such as http://127.0.0.1:4040 or https://slipway.example.org"));
        if (Token.Length == 0 || Token.Any(c => c is <= ' ' or > '~'))
            faults.Add(new Fault("bad-token", Token.Length == 0 ? "the gateway has no token" : "the gateway's token has characters that no token has", Help: "an administrator makes one with `slipway access token new`; hand it over in SLIPWAY_TOKEN"));
        if (Trusted.IsEmpty)
            faults.Add(new Fault("no-trusted-key", "there is no trusted key: this gateway could verify nothing", Help: "name the signer's with `--key FILE.pub`"));
        if (StartLimit <= TimeSpan.Zero || PredictionLimit <= TimeSpan.Zero)
            faults.Add(new Fault("bad-limit", $"the limits of a start and of a prediction are {StartLimit} and {PredictionLimit}, both must be more than zero"));
        if (Concurrency < 1)
            faults.Add(new Fault("bad-concurrency", $"the number of predictions at once is {Concurrency}, allowed at least 1"));
        if (faults.Count > 0)
            throw new SlipwayException(ExitCode.UnusableInput, faults);
    }

    /// <summary>Without the token.</summary>
    private bool PrintMembers(StringBuilder text)
    {
        text.Append($"Name = {Name}, Channel = {Channel}, Folder = {Folder}, Server = {Server}");
        return true;
    }
}
