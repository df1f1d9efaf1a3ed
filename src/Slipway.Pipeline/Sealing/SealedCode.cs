using System.Collections.Immutable;
using Slipway.Documents.Specs;
using Slipway.Pipeline.Execution;
using Slipway.Pipeline.Execution.Plan;
using Slipway.Primitives.Faults;
using Slipway.Store.Content;

namespace Slipway.Pipeline.Sealing;

/// <summary>The files that stages and the served model declare as inputs, and nothing else of the project.</summary>
internal sealed class SealedCode(Spec spec, ProjectFiles files, string root)
{
    /// <exception cref="SlipwayException">A file is no longer what its stage ran with (exit 2).</exception>
    public ImmutableArray<SealFile> Files(RunOutcome outcome)
    {
        var code = new SortedDictionary<string, SealFile>(StringComparer.Ordinal);
        foreach (var result in outcome.Stages)
        {
            var stage = spec.Stages.First(candidate => candidate.Name == result.Name);
            foreach (var name in stage.Inputs.Where(input => input.Kind == InputKind.Path).Select(input => input.Name).Concat(stage.Sql is null ? [] : [stage.Sql]))
                Add(files.Files(name, result.Inputs[name]));
        }

        foreach (var input in spec.Model?.Runtime.Inputs ?? [])
            Add(files.Files(input.Name));
        return [.. code.Values];

        void Add(IEnumerable<FileTreeEntry> found)
        {
            foreach (var file in found)
                code[file.Path] = new SealFile(file.Path, file.Executable, file.Size, file.Digest, Path.Combine(root, file.Path));
        }
    }
}
