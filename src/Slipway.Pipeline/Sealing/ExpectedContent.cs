using System.Security.Cryptography;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;

namespace Slipway.Pipeline.Sealing;

/// <summary>Copies a file while hashing it, and refuses at the end what is not the content that was promised.</summary>
internal static class ExpectedContent
{
    /// <summary>Bytes moved at once: large enough for the disk's own read-ahead, small enough for the cache.</summary>
    private const int BufferBytes = 128 * 1024;

    /// <exception cref="SlipwayException">The file is missing, or is no longer what its digest says (exit 2).</exception>
    public static void Copy(SealFile file, Stream output, CancellationToken cancellation)
    {
        using var source = Open(file);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[BufferBytes];
        for (var left = file.Size; left >= 0;)
        {
            cancellation.ThrowIfCancellationRequested();
            var read = source.Read(buffer);
            if (read == 0)
                break;
            hash.AppendData(buffer, 0, read);
            output.Write(buffer, 0, read);
            left -= read;
        }

        if (new Digest(hash.GetHashAndReset()) != file.Digest)
            throw Changed(file, $"no longer has the digest {file.Digest}");
    }

    private static FileStream Open(SealFile file)
    {
        try
        {
            return new FileStream(file.Source, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException or UnauthorizedAccessException)
        {
            throw Changed(file, $"cannot be read: {e.Message}");
        }
    }

    private static SlipwayException Changed(SealFile file, string finding) =>
        new(ExitCode.UnusableInput, new Fault("seal-source-changed", $"{file.Source} {finding}", file.Source, Help: "let nothing write to it, and run again"));
}
