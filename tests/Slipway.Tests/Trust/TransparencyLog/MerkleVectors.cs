using System.Collections.Immutable;
using System.Text.Json;
using Slipway.Primitives.Bytes;
using Slipway.Trust.TransparencyLog;

namespace Slipway.Tests.Trust.TransparencyLog;

/// <summary>The published vectors, and trees to hold our own against.</summary>
internal static class MerkleVectors
{
    public static JsonElement Read(string file) => JsonDocument.Parse(File.ReadAllBytes(PathOf(file))).RootElement;

    public static IEnumerable<JsonElement> Lines(string file) => File.ReadLines(PathOf(file)).Select(line => JsonDocument.Parse(line).RootElement);

    /// <summary>A root of another length than 32 bytes stands for some hash that is none of the tree's: two vectors ask only whether roots are equal.</summary>
    public static Digest Root(JsonElement vector, string name) => Hash(vector, name) ?? Digest.Of([.. vector.GetProperty(name).GetBytesFromBase64(), 1]);

    /// <returns>Null when it is no hash: such a proof does not come into our types at all.</returns>
    public static Digest? Hash(JsonElement vector, string name) =>
        vector.GetProperty(name).GetBytesFromBase64() is { Length: Digest.Length } bytes ? new Digest(bytes) : null;

    /// <returns>Null when an element is no hash.</returns>
    public static ImmutableArray<Digest>? Path(JsonElement vector)
    {
        var proof = vector.GetProperty("proof");
        var hashes = proof.ValueKind == JsonValueKind.Null ? [] : proof.EnumerateArray().Select(hash => hash.GetBytesFromBase64()).ToArray();
        return hashes.All(hash => hash.Length == Digest.Length) ? [.. hashes.Select(hash => new Digest(hash))] : null;
    }

    public static Digest Leaf(int index) => MerkleHash.OfLeaf(BitConverter.GetBytes(index));

    /// <summary>All complete subtrees of a tree with the leaves <see cref="Leaf"/>.</summary>
    public static Dictionary<TreeNode, Digest> Stored(int size)
    {
        var range = new CompactRange();
        return Enumerable.Range(0, size).SelectMany(index => range.Append(Leaf(index))).ToDictionary(made => made.Node, made => made.Hash);
    }

    /// <summary>The root as the standard defines it, word for word: slow, and nothing of ours but the two hashes.</summary>
    public static Digest DefinedRoot(int first, int end)
    {
        if (end - first <= 1)
            return end == first ? MerkleHash.EmptyRoot : Leaf(first);
        var left = 1;
        while (left * 2 < end - first)
            left *= 2;
        return MerkleHash.OfNode(DefinedRoot(first, first + left), DefinedRoot(first + left, end));
    }

    private static string PathOf(string file) => System.IO.Path.Combine(AppContext.BaseDirectory, "Trust/TransparencyLog/vectors", file);
}
