using System.Collections.Immutable;
using Slipway.Primitives.Faults;

namespace Slipway.Trust.Signing;

/// <summary>The public keys whose word is believed. Immutable; empty means that nothing can be verified.</summary>
public sealed class KeyRing
{
    private KeyRing(ImmutableArray<VerificationKey> keys) => Keys = keys;

    /// <summary>In order of their ids; each once.</summary>
    public ImmutableArray<VerificationKey> Keys { get; }

    public bool IsEmpty => Keys.IsEmpty;

    public static KeyRing Of(params IEnumerable<VerificationKey> keys) =>
        new([.. keys.DistinctBy(key => key.KeyId).OrderBy(key => key.KeyId, StringComparer.Ordinal)]);

    /// <summary>Reads public keys from files, and from the <c>*.pub</c> files of folders (not of folders below them).</summary>
    /// <exception cref="SlipwayException">A path that is not there (exit 3); a file that holds no P-256 public key (exit 2).</exception>
    public static KeyRing Load(IEnumerable<string> filesOrFolders) =>
        Of(filesOrFolders
            .SelectMany(IEnumerable<string> (path) => Directory.Exists(path) ? Directory.EnumerateFiles(path, "*.pub").Order(StringComparer.Ordinal) : [path])
            .Select(VerificationKey.Load)
            .ToList());

    /// <summary>The key that a bundle's hint names (cosign's base64, or our hex id), or null.</summary>
    public VerificationKey? Find(string? hint) => Keys.FirstOrDefault(key => key.Hint == hint || key.KeyId == hint);
}
