using System.Buffers;
using System.Collections.Immutable;
using System.Diagnostics;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Slipway.Documents.Reading;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Files;

namespace Slipway.Documents.Runs;

/// <summary>Reads and writes a spec's lock, commonly <c>slipway.lock</c>: indented JSON, one pin a line, sorted by name, so that a change is a short diff.</summary>
public static class ProjectLockFile
{
    private const string Help = "Run 'slipway lock' to write it anew, and look at the difference before you commit it.";

    /// <returns>Null when there is no lock yet.</returns>
    /// <exception cref="SlipwayException">The lock is unusable (exit 2), or may not be read (exit 3).</exception>
    public static ProjectLock? Read(ProjectFolder project) =>
        File.Exists(project.LockFile) ? Parse(UserFile.Read(project.Root, project.LockName, "lock", Help), project.LockName) : null;

    /// <param name="content">JSON.</param>
    /// <param name="file">The lock as messages name it.</param>
    /// <exception cref="SlipwayException">The lock is unusable (exit 2).</exception>
    public static ProjectLock Parse(ReadOnlyMemory<byte> content, string file)
    {
        var faults = new FaultList();
        var root = JsonTree.Read(file, content.Span, Help, faults);
        var isRead = LockGrammar.Lock.TryRead(root, new Label("the lock", new Place(file, 1, 1)), faults, out var result);
        faults.ThrowIfAny();
        return isRead ? result! : throw new UnreachableException("a lock was not read and no fault says why");
    }

    /// <summary>Writes the lock where it differs from what is there.</summary>
    /// <returns>Whether anything was written.</returns>
    /// <exception cref="SlipwayException">No space, no permission (exit 3).</exception>
    public static bool Write(ProjectFolder project, ProjectLock content)
    {
        var bytes = Format(content);
        if (File.Exists(project.LockFile) && bytes.AsSpan().SequenceEqual(UserFile.Read(project.Root, project.LockName, "lock", Help)))
            return false;
        AtomicFile.Write(project.LockFile, bytes);
        return true;
    }

    /// <summary>The bytes of the file: equal locks give equal bytes.</summary>
    public static byte[] Format(ProjectLock content)
    {
        var ordered = content with
        {
            Data = content.Data.WithComparers(StringComparer.Ordinal),
            Environments = content.Environments.ToImmutableSortedDictionary(
                entry => entry.Key, entry => entry.Value with { Packages = entry.Value.Packages.WithComparers(StringComparer.Ordinal) }, StringComparer.Ordinal),
        };
        var bytes = new ArrayBufferWriter<byte>();

        // Versions have plus signs, which the default encoder would write as escapes.
        using (var writer = new Utf8JsonWriter(bytes, new JsonWriterOptions { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
            JsonSerializer.Serialize(writer, ordered, LockJson.Default.ProjectLock);
        bytes.Write("\n"u8);
        return bytes.WrittenSpan.ToArray();
    }
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Strict, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ProjectLock))]
internal sealed partial class LockJson : JsonSerializerContext;
