using System.CommandLine;
using Slipway.Documents.Policies;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Files;
using Slipway.Trust.Policies;
using Slipway.Trust.Verification;

namespace Slipway.Cli;

/// <summary>Whose word a verb believes: keys, a policy file, and proofs of what a ledger knows.</summary>
internal sealed class TrustOptions
{
    /// <summary>A person's own policy, beside their keys.</summary>
    public static string Standing { get; } = Path.Combine(Path.GetDirectoryName(KeyFolder.Path)!, "trust.yaml");

    private readonly Option<string[]> keys = new("--key")
    {
        Description = "Public key to trust, a file or a folder of *.pub; default: your trust.yaml, or your own key folder",
        HelpName = "FILE.pub",
    };

    private readonly Option<string?> policy = new("--policy") { Description = "Trust policy: whose statements must be there, revocations, sources of trusted time; default: trust.yaml beside your key folder, where it is", HelpName = "FILE" };

    private readonly Option<string[]> proofs = new("--ledger-proof") { Description = "Proof of a server's ledger that names an attestation, as `slipway audit prove` writes it: a trusted time; may be repeated", HelpName = "FILE" };

    public void AddTo(Command verb)
    {
        verb.Options.Add(keys);
        verb.Options.Add(policy);
        verb.Options.Add(proofs);
    }

    /// <summary>In this order: the policy or the keys that are named (not both), the person's trust.yaml, their key folder.</summary>
    /// <exception cref="SlipwayException">A file is missing, unusable, or proves nothing.</exception>
    public BundleTrust Read(ParseResult parsed, Shell shell)
    {
        var (named, file) = (parsed.GetValue(keys) ?? [], parsed.GetValue(policy));
        if (named.Length > 0 && file is not null)
            throw new SlipwayException(ExitCode.UnusableInput, new Fault("bad-argument", "--key and --policy both say whom to believe", Help: "name the keys in the policy"));
        var trusted = file is null ? Of(named) : new BundleTrust(Load(shell.Folder, file), shell.PathOf(file), []);
        return trusted with { Evidence = [.. (parsed.GetValue(proofs) ?? []).Select(proof => LedgerEvidence.Open(ReadProof(shell.PathOf(proof)), trusted.Policy.Ledgers, proof))] };
    }

    /// <summary>Whether nobody is named: the person's own word counts.</summary>
    public bool IsStanding(ParseResult parsed) => parsed.GetValue(keys) is not { Length: > 0 } && parsed.GetValue(policy) is null;

    /// <summary>The keys that are named; without any the person's own policy, and without that all of their key folder.</summary>
    public static BundleTrust Of(IReadOnlyCollection<string> named) =>
        named.Count == 0 && FileStamp.Of(Standing) is not null
            ? new BundleTrust(Load(Path.GetDirectoryName(Standing)!, Standing), Standing, [])
            : new BundleTrust(TrustPolicy.Of(KeyFolder.Trusted(named)), null, []);

    private static TrustPolicy Load(string folder, string file) => TrustPolicyParser.Load(folder, file, TimeProvider.System.GetUtcNow());

    private static byte[] ReadProof(string path) =>
        FileStamp.Of(path) is { Kind: FileKind.File, Size: <= Slipway.Trust.TransparencyLog.TlogProof.MaxBytes }
            ? File.ReadAllBytes(path)
            : throw new SlipwayException(ExitCode.UnusableInput, new Fault("proof-missing", $"is no file of at most {Slipway.Trust.TransparencyLog.TlogProof.MaxBytes} bytes", path, Help: "write it with `slipway audit prove INDEX`"));
}

/// <summary>What a bundle is verified by.</summary>
/// <param name="File">Where the policy stands; null for keys alone.</param>
internal sealed record BundleTrust(TrustPolicy Policy, string? File, IReadOnlyCollection<LedgerEvidence> Evidence);
