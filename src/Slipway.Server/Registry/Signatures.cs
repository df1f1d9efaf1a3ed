using System.Collections.Immutable;
using Slipway.Documents.Access;
using Slipway.Documents.Registry;
using Slipway.Documents.Runs;
using Slipway.Documents.Statements;
using Slipway.Primitives.Faults;
using Slipway.Server.Access;
using Slipway.Server.Storage;
using Slipway.Trust.Signing;
using Slipway.Trust.Verification;

namespace Slipway.Server.Registry;

/// <summary>Who vouches for a bundle: which key may say what, and what is thought of it now.</summary>
internal static class Signatures
{
    /// <summary>Every key that is trusted now, whatever for.</summary>
    public static KeyRing Ring(ImmutableArray<TrustedKey> keys) => KeyRing.Of(keys.Where(key => key.Revoked is null).Select(key => key.ToVerificationKey()));

    /// <summary>Those statements whose signers may say so.</summary>
    public static ImmutableArray<VerifiedStatement> Entitled(ImmutableArray<TrustedKey> keys, IEnumerable<VerifiedStatement> statements) =>
        [.. statements.Where(statement => keys.Any(key => key.Id == statement.Signer.KeyId && key.MaySign(statement.Statement.PredicateType)))];

    /// <summary>What was signed by a trusted key that is trusted for something else, as sentences.</summary>
    public static IEnumerable<string> Strays(ImmutableArray<TrustedKey> keys, IEnumerable<VerifiedStatement> statements) =>
        from statement in statements
        join key in keys on statement.Signer.KeyId equals key.Id
        where !key.MaySign(statement.Statement.PredicateType)
        select $"the key '{key.Name}' may not say {statement.Statement.PredicateType}: ignored";

    /// <summary>Why nobody vouches for where the bundle is from; null where a builder's key does.</summary>
    public static Fault? ProvenanceMissing(ImmutableArray<TrustedKey> keys, IEnumerable<VerifiedStatement> entitled) =>
        entitled.Any(statement => statement.Statement.PredicateType == SlsaProvenance.PredicateType)
            ? null
            : new Fault("provenance-missing", $"no trusted builder's key says where the bundle is from; trusted builders are {Builders(keys)}", Help: "seal it with a builder's key, or let an administrator trust the key that sealed it: `slipway access key add`");

    /// <summary>What provenance in Slipway's form says of the isolation that stages ran in; null where it does not tell, and for other statements.</summary>
    public static Isolation? IsolationIn(VerifiedStatement statement) => statement.Statement.PredicateType == SlsaProvenance.PredicateType ? SlsaProvenance.Read(statement.Statement.Predicate)?.BuildDefinition.InternalParameters?.Isolation : null;

    /// <summary>The strongest isolation that a key which is trusted now to tell of it says; null where none does.</summary>
    public static async Task<Isolation?> IsolationAsync(Session session, Primitives.Bytes.Digest bundle)
    {
        var builders = (await TrustedKeyTable.ListAsync(session)).Where(key => key.Revoked is null && key.MaySign(SlsaProvenance.PredicateType)).Select(key => key.Id).ToHashSet(StringComparer.Ordinal);
        var told = (await VersionTable.IsolationsAsync(session, bundle)).Where(each => builders.Contains(each.Key)).Select(each => each.Isolation).ToHashSet(StringComparer.Ordinal);
        return Enum.GetValues<Isolation>().Where(isolation => told.Contains(isolation.Word())).Cast<Isolation?>().Max();
    }

    /// <summary>Why a bundle that does not verify may once have: its key was revoked.</summary>
    public static IEnumerable<Fault> Revocations(ImmutableArray<TrustedKey> keys, IEnumerable<Fault> problems) =>
        from key in keys
        where key.Revoked is not null && problems.Any(problem => problem.Message.Contains(key.Id, StringComparison.Ordinal))
        select new Fault("key-revoked", $"the key '{key.Name}' ({key.Id[..12]}) was revoked: {key.Revoked!.Reason}", Help: "sign the bundle with a key that is trusted, and push again");

    /// <summary>The keys that said something of a registered bundle, and what is thought of them now.</summary>
    public static async Task<ImmutableArray<SignerStatus>> OfAsync(Session session, Primitives.Bytes.Digest bundle)
    {
        var keys = (await TrustedKeyTable.ListAsync(session)).ToDictionary(key => key.Id, StringComparer.Ordinal);
        return
        [
            .. (await VersionTable.SaidAsync(session, bundle)).GroupBy(said => said.Key, said => said.PredicateType, StringComparer.Ordinal)
                .Select(said => keys.GetValueOrDefault(said.Key) is { } key
                    ? new SignerStatus(key.Id, key.Name, key.Owner, [.. said], key.Revoked?.At, key.Revoked?.Reason)
                    : new SignerStatus(said.Key, null, null, [.. said], null, null)),
        ];
    }

    private static string Builders(ImmutableArray<TrustedKey> keys)
    {
        var names = keys.Where(key => key.MaySign(SlsaProvenance.PredicateType)).Select(key => $"'{key.Name}'").ToArray();
        return names.Length == 0 ? "none" : string.Join(", ", names);
    }
}
