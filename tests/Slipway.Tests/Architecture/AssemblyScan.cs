using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;

namespace Slipway.Tests.Architecture;

/// <summary>Everything that the types of one assembly mention, read from its metadata and IL without loading it.</summary>
/// <remarks>Source: ECMA-335 II.22 (tables), II.23.2 (signatures), II.25.4 (method bodies).</remarks>
internal sealed class AssemblyScan : IDisposable
{
    private readonly PEReader image;
    private readonly MetadataReader reader;
    private readonly HashSet<TypeUse> uses = [];

    public AssemblyScan(string path)
    {
        image = new PEReader(File.OpenRead(path));
        reader = image.GetMetadataReader();
        foreach (var handle in reader.TypeDefinitions)
            ScanType(handle);
        foreach (var handle in reader.CustomAttributes)
            ScanAttribute(reader.GetCustomAttribute(handle));
    }

    public IReadOnlyCollection<TypeUse> Uses => uses;

    public IEnumerable<string> References => reader.AssemblyReferences.Select(handle => reader.GetString(reader.GetAssemblyReference(handle).Name));

    /// <summary>Types that are not nested, except those that the compiler made.</summary>
    public IEnumerable<(TypeName Name, bool IsPublic)> Types =>
        from handle in reader.TypeDefinitions
        let type = reader.GetTypeDefinition(handle)
        where !type.IsNested && !reader.GetString(type.Name).StartsWith('<')
        select (NameOf(handle), (type.Attributes & TypeAttributes.VisibilityMask) == TypeAttributes.Public);

    public void Dispose() => image.Dispose();

    private void ScanType(TypeDefinitionHandle handle)
    {
        var type = reader.GetTypeDefinition(handle);
        var seen = new MentionedTypes(this, NameOf(handle));
        seen.Mention(type.BaseType);
        foreach (var implemented in type.GetInterfaceImplementations())
            seen.Mention(reader.GetInterfaceImplementation(implemented).Interface);
        seen.MentionConstraints(type.GetGenericParameters());
        foreach (var field in type.GetFields())
            reader.GetFieldDefinition(field).DecodeSignature(seen, null);
        foreach (var property in type.GetProperties())
            reader.GetPropertyDefinition(property).DecodeSignature(seen, null);
        foreach (var method in type.GetMethods().Select(reader.GetMethodDefinition))
        {
            method.DecodeSignature(seen, null);
            seen.MentionConstraints(method.GetGenericParameters());
            if (method.RelativeVirtualAddress == 0)
                continue;
            var body = image.GetMethodBody(method.RelativeVirtualAddress);
            if (!body.LocalSignature.IsNil)
                reader.GetStandaloneSignature(body.LocalSignature).DecodeLocalSignature(seen, null);
            foreach (var region in body.ExceptionRegions)
                seen.Mention(region.CatchType);
            foreach (var token in IlTokens.Of(body.GetILReader()))
                seen.Mention(token);
        }
    }

    private void ScanAttribute(CustomAttribute attribute)
    {
        var owner = attribute.Parent.Kind switch
        {
            HandleKind.TypeDefinition => (TypeDefinitionHandle)attribute.Parent,
            HandleKind.MethodDefinition => reader.GetMethodDefinition((MethodDefinitionHandle)attribute.Parent).GetDeclaringType(),
            HandleKind.FieldDefinition => reader.GetFieldDefinition((FieldDefinitionHandle)attribute.Parent).GetDeclaringType(),
            HandleKind.PropertyDefinition => reader.GetPropertyDefinition((PropertyDefinitionHandle)attribute.Parent).GetDeclaringType(),
            _ => default,
        };
        if (!owner.IsNil)
            new MentionedTypes(this, NameOf(owner)).Mention(attribute.Constructor);
    }

    private TypeName NameOf(TypeDefinitionHandle handle)
    {
        var type = reader.GetTypeDefinition(handle);
        return type.IsNested
            ? NameOf(type.GetDeclaringType())
            : new TypeName(null, reader.GetString(type.Namespace), WithoutArity(reader.GetString(type.Name)));
    }

    private TypeName NameOf(TypeReferenceHandle handle)
    {
        var type = reader.GetTypeReference(handle);
        return type.ResolutionScope.Kind switch
        {
            HandleKind.TypeReference => NameOf((TypeReferenceHandle)type.ResolutionScope),
            HandleKind.AssemblyReference => Named(reader.GetString(reader.GetAssemblyReference((AssemblyReferenceHandle)type.ResolutionScope).Name)),
            _ => Named(null),
        };

        TypeName Named(string? assembly) => new(assembly, reader.GetString(type.Namespace), WithoutArity(reader.GetString(type.Name)));
    }

    private static string WithoutArity(string name) => name.IndexOf('`') is > 0 and var mark ? name[..mark] : name;

    /// <summary>Collects what one type mentions; the signature decoder calls it for each type in a signature.</summary>
    private sealed class MentionedTypes(AssemblyScan scan, TypeName from) : ISignatureTypeProvider<bool, object?>
    {
        private readonly MetadataReader reader = scan.reader;

        public void Mention(EntityHandle handle, string? member = null)
        {
            if (handle.IsNil)
                return;
            switch (handle.Kind)
            {
                case HandleKind.TypeDefinition:
                    scan.uses.Add(new TypeUse(from, scan.NameOf((TypeDefinitionHandle)handle), member));
                    break;
                case HandleKind.TypeReference:
                    scan.uses.Add(new TypeUse(from, scan.NameOf((TypeReferenceHandle)handle), member));
                    break;
                case HandleKind.TypeSpecification:
                    reader.GetTypeSpecification((TypeSpecificationHandle)handle).DecodeSignature(this, null);
                    break;
                case HandleKind.MethodDefinition:
                    var method = reader.GetMethodDefinition((MethodDefinitionHandle)handle);
                    Mention(method.GetDeclaringType(), reader.GetString(method.Name));
                    break;
                case HandleKind.FieldDefinition:
                    Mention(reader.GetFieldDefinition((FieldDefinitionHandle)handle).GetDeclaringType());
                    break;
                case HandleKind.MemberReference:
                    var reference = reader.GetMemberReference((MemberReferenceHandle)handle);
                    Mention(reference.Parent, reader.GetString(reference.Name));
                    if (reference.GetKind() == MemberReferenceKind.Method)
                        reference.DecodeMethodSignature(this, null);
                    else
                        reference.DecodeFieldSignature(this, null);
                    break;
                case HandleKind.MethodSpecification:
                    var specification = reader.GetMethodSpecification((MethodSpecificationHandle)handle);
                    Mention(specification.Method);
                    specification.DecodeSignature(this, null);
                    break;
            }
        }

        public void MentionConstraints(GenericParameterHandleCollection parameters)
        {
            foreach (var parameter in parameters)
            {
                foreach (var constraint in reader.GetGenericParameter(parameter).GetConstraints())
                    Mention(reader.GetGenericParameterConstraint(constraint).Type);
            }
        }

        public bool GetTypeFromDefinition(MetadataReader _, TypeDefinitionHandle handle, byte kind) => Found(handle);

        public bool GetTypeFromReference(MetadataReader _, TypeReferenceHandle handle, byte kind) => Found(handle);

        public bool GetTypeFromSpecification(MetadataReader _, object? context, TypeSpecificationHandle handle, byte kind) => Found(handle);

        public bool GetArrayType(bool element, ArrayShape shape) => element;

        public bool GetByReferenceType(bool element) => element;

        public bool GetFunctionPointerType(MethodSignature<bool> signature) => true;

        public bool GetGenericInstantiation(bool type, System.Collections.Immutable.ImmutableArray<bool> arguments) => type;

        public bool GetGenericMethodParameter(object? context, int index) => true;

        public bool GetGenericTypeParameter(object? context, int index) => true;

        public bool GetModifiedType(bool modifier, bool type, bool isRequired) => type;

        public bool GetPinnedType(bool element) => element;

        public bool GetPointerType(bool element) => element;

        public bool GetPrimitiveType(PrimitiveTypeCode code) => true;

        public bool GetSZArrayType(bool element) => element;

        private bool Found(EntityHandle handle)
        {
            Mention(handle);
            return true;
        }
    }
}
