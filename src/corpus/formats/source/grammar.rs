//! The languages that source code is cut by.

use tree_sitter::Language as Grammar;

/// A programming language whose functions and types are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    C,
    Cpp,
    Go,
    Java,
    JavaScript,
    Python,
    Rust,
    Tsx,
    TypeScript,
}

impl Language {
    /// The language for a lower-case extension.
    pub(super) fn of_extension(extension: &str) -> Option<Language> {
        Some(match extension {
            "c" => Language::C,
            // C++ reads nearly all of C, and half of the headers are C++.
            "cc" | "cpp" | "cxx" | "h" | "hh" | "hpp" | "hxx" => Language::Cpp,
            "go" => Language::Go,
            "java" => Language::Java,
            "cjs" | "js" | "jsx" | "mjs" => Language::JavaScript,
            "py" | "pyi" => Language::Python,
            "rs" => Language::Rust,
            "tsx" => Language::Tsx,
            "cts" | "mts" | "ts" => Language::TypeScript,
            _ => return None,
        })
    }

    pub(super) fn grammar(self) -> Grammar {
        match self {
            Language::C => tree_sitter_c::LANGUAGE,
            Language::Cpp => tree_sitter_cpp::LANGUAGE,
            Language::Go => tree_sitter_go::LANGUAGE,
            Language::Java => tree_sitter_java::LANGUAGE,
            Language::JavaScript => tree_sitter_javascript::LANGUAGE,
            Language::Python => tree_sitter_python::LANGUAGE,
            Language::Rust => tree_sitter_rust::LANGUAGE,
            Language::Tsx => tree_sitter_typescript::LANGUAGE_TSX,
            Language::TypeScript => tree_sitter_typescript::LANGUAGE_TYPESCRIPT,
        }
        .into()
    }
}

/// What a node of a syntax tree is to the outline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NodeKind {
    /// A function or type, with the word before its name in a title.
    Definition(&'static str),
    /// A definition that holds others.
    Container(&'static str),
    /// Around definitions, without a name of its own.
    Wrapper,
    /// The beginning of the one definition in it.
    Prefix,
    /// Belongs to what follows.
    Comment,
    Other,
}

impl NodeKind {
    /// The kind for a node of any of the languages: where they share a name, they mean the same.
    pub(super) fn of(kind: &str) -> NodeKind {
        use NodeKind::{Comment, Container, Definition, Wrapper};
        match kind {
            // Rust
            "function_item" => Definition("fn"),
            "macro_definition" => Definition("macro"),
            "struct_item" => Definition("struct"),
            "enum_item" => Definition("enum"),
            "union_item" => Definition("union"),
            "impl_item" => Container("impl"),
            "trait_item" => Container("trait"),
            "mod_item" => Container("mod"),
            // Python; C and C++ name functions so too.
            "function_definition" => Definition(""),
            "class_definition" => Container("class"),
            // JavaScript, TypeScript, Java, Go
            "function_declaration" | "generator_function_declaration" => Definition("function"),
            "method_definition" | "method_declaration" | "constructor_declaration" => Definition(""),
            "class_declaration" | "abstract_class_declaration" => Container("class"),
            "interface_declaration" => Container("interface"),
            "enum_declaration" => Container("enum"),
            "record_declaration" => Container("record"),
            "annotation_type_declaration" => Container("@interface"),
            "internal_module" | "module" => Container("namespace"),
            "type_alias_declaration" | "type_declaration" => Definition("type"),
            // C, C++
            "struct_specifier" => Container("struct"),
            "class_specifier" => Container("class"),
            "union_specifier" => Definition("union"),
            "enum_specifier" => Definition("enum"),
            "namespace_definition" => Container("namespace"),
            "preproc_function_def" => Definition("#define"),

            "export_statement" | "ambient_declaration" | "decorated_definition" | "template_declaration" => {
                NodeKind::Prefix
            }
            "linkage_specification"
            | "preproc_if"
            | "preproc_ifdef"
            | "preproc_else"
            | "preproc_elif"
            | "declaration_list"
            | "class_body"
            | "interface_body"
            | "enum_body"
            | "enum_body_declarations"
            | "field_declaration_list"
            | "statement_block"
            | "block"
            | "if_statement"
            | "try_statement"
            | "else_clause"
            | "except_clause"
            | "ERROR" => Wrapper,
            "comment" | "line_comment" | "block_comment" | "attribute_item" | "marker_annotation" => Comment,
            _ => NodeKind::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_grammar_is_of_a_version_that_the_parser_knows() {
        for extension in ["c", "h", "go", "java", "js", "py", "rs", "tsx", "ts"] {
            let language = Language::of_extension(extension).unwrap();
            assert!(tree_sitter::Parser::new().set_language(&language.grammar()).is_ok(), "{extension}");
        }
    }
}
