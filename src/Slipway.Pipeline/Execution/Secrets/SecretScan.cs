using System.Collections.Immutable;
using System.Text;
using Slipway.Documents.Specs;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Files;
using Slipway.Runtime.Sandbox;

namespace Slipway.Pipeline.Execution.Secrets;

/// <summary>Looks for the values of a stage's secrets in what it wrote: as they are, and in base64 at any place of a longer text, lines broken or not.</summary>
/// <remarks>Finds carelessness, not malice: a stage that means to hide a value can. Not thread-safe; memory is three blocks from the first file on.</remarks>
internal sealed class SecretScan
{
    /// <summary>Bytes that are looked at together.</summary>
    private const int Block = 1 << 20;

    private readonly ImmutableArray<(string Name, byte[] Pattern)> patterns;
    private readonly int longest;
    private (byte[] Block, Window Plain, Window Unbroken)? buffers;

    /// <param name="values">Of the stage, by name.</param>
    public SecretScan(IReadOnlyDictionary<string, string> values)
    {
        patterns = [.. values.SelectMany(secret => SecretForms.Of(Encoding.UTF8.GetBytes(secret.Value)).Select(form => (secret.Key, form)))];
        longest = patterns.Select(pattern => pattern.Pattern.Length).DefaultIfEmpty().Max();
    }

    /// <param name="root">The folder that the outputs' paths are relative to.</param>
    /// <exception cref="SlipwayException">An output holds one (exit 2); the value is not told.</exception>
    public void Require(StageSpec stage, string root)
    {
        if (patterns.IsEmpty)
            return;
        var faults = new List<Fault>();
        foreach (var (output, path) in stage.Outputs)
        {
            var absolute = Path.Combine(root, path);
            foreach (var file in path.EndsWith('/') ? Files(absolute) : [absolute])
            {
                var below = Path.GetRelativePath(root, file);
                var inName = In(Encoding.UTF8.GetBytes(below));
                if ((inName ?? InFile(file)) is not { } name)
                    continue;
                faults.Add(stage.At.Fault(
                    "secret-in-output",
                    $"stage {stage.Name}: {(inName is null ? below : "the name of a file")} in its output {output} holds the secret {name}",
                    "let the command leave it out: outputs are kept, sealed and shared"));
                break;
            }
        }

        if (faults.Count > 0)
            throw new SlipwayException(ExitCode.UnusableInput, faults);
    }

    /// <returns>The name of the first secret that is found.</returns>
    internal string? InFile(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0, FileOptions.SequentialScan);
        var (block, plain, unbroken) = buffers ??= (new byte[Block], new Window(this), new Window(this));
        plain.Begin();
        unbroken.Begin();
        for (int read; (read = file.Read(block)) > 0;)
        {
            if ((plain.Add(block.AsSpan(0, read)) ?? unbroken.Add(block.AsSpan(0, WithoutBreaks(block.AsSpan(0, read))))) is { } found)
                return found;
        }

        return null;
    }

    /// <summary>Encoders of base64 break lines, at any place of a value (RFC 2045 §6.8).</summary>
    /// <returns>How many bytes are left, moved to the beginning.</returns>
    private static int WithoutBreaks(Span<byte> bytes)
    {
        var left = 0;
        foreach (var each in bytes)
        {
            if (each is not ((byte)'\n' or (byte)'\r'))
                bytes[left++] = each;
        }

        return left;
    }

    /// <summary>The bytes that are looked at now, behind those that a pattern may have begun with.</summary>
    private sealed class Window(SecretScan scan)
    {
        private readonly byte[] buffer = new byte[Block + scan.longest];
        private int kept;

        /// <summary>Of another file: what the last one ended with begins nothing.</summary>
        public void Begin() => kept = 0;

        public string? Add(ReadOnlySpan<byte> bytes)
        {
            bytes.CopyTo(buffer.AsSpan(kept));
            var filled = kept + bytes.Length;
            if (scan.In(buffer.AsSpan(0, filled)) is { } found)
                return found;
            kept = Math.Min(filled, scan.longest - 1);
            buffer.AsSpan(filled - kept, kept).CopyTo(buffer);
            return null;
        }
    }

    private string? In(ReadOnlySpan<byte> bytes)
    {
        foreach (var (name, pattern) in patterns)
        {
            if (bytes.IndexOf(pattern) >= 0)
                return name;
        }

        return null;
    }

    private static IEnumerable<string> Files(string folder) =>
        Directory.EnumerateFiles(folder, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint, IgnoreInaccessible = false })
            .Where(path => FileStamp.Of(path, followLinks: false) is { Kind: FileKind.File });      // storing refuses all else, and a pipe is waited for
}
