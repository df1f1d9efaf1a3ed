using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Slipway.Pipeline.Execution.Stages;

/// <summary>Which paths a stage's folder was given: 16 bytes of SHA-256 for each, since a stage may take in hundreds of thousands.</summary>
/// <remarks>Nobody can make a path that passes for another one. Not thread-safe.</remarks>
internal sealed class PathSet
{
    private readonly HashSet<UInt128> hashes = [];

    /// <returns>False when it is in the set already.</returns>
    public bool Add(string path) => hashes.Add(Hash(path));

    public bool Contains(string path) => hashes.Contains(Hash(path));

    private static UInt128 Hash(string path)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(MemoryMarshal.AsBytes(path.AsSpan()), hash);
        return MemoryMarshal.Read<UInt128>(hash);
    }
}
